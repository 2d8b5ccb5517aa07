using System.Text.Json.Nodes;
using Galaxy.Cli.Worker.Actions;

namespace Galaxy.Cli.Tests.Worker.Actions;

[Collection(CommandLine.OneConsole)]
public sealed class ProgramsTests : IDisposable
{
    private readonly Folder _folder = new();

    public ProgramsTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "The programs are of /bin/sh.");

    public void Dispose() => _folder.Dispose();

    private async Task<JsonNode?> ShellAsync(string script, params string[] allowed) =>
        await new ShellAction(allowed, _folder.Path).Action.RunAsync(
            new ActionCall(new() { ["command"] = "sh", ["args"] = new JsonArray("-c", script) }, _ => { }, default)
        );

    private async Task<JsonNode?> PluginAsync(string script, Action<double>? report = null)
    {
        await File.WriteAllTextAsync(_folder["plugin"], script);
        return await PluginAction
            .Parse($"mine=/bin/sh {_folder["plugin"]}")
            .RunAsync(new ActionCall(new() { ["a"] = 1 }, report ?? (_ => { }), default));
    }

    [Fact]
    public async Task Only_what_is_allowed_is_started_and_in_the_folder_it_is_given()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => ShellAsync("touch x", "ls", "/bin/sh"));
        Assert.Empty(Directory.GetFiles(_folder.Path));

        Assert.Equal(
            Path.GetFileName(_folder.Path),
            Path.GetFileName(((string?)(await ShellAsync("pwd", "sh"))!["stdout"])!.Trim())
        );
    }

    [Fact]
    public async Task The_workers_key_is_not_the_programs_business()
    {
        var before = Environment.GetEnvironmentVariable("GALAXY_API_KEY");
        Environment.SetEnvironmentVariable("GALAXY_API_KEY", "a-secret");
        try
        {
            Assert.DoesNotContain("a-secret", (string?)(await ShellAsync("env"))!["stdout"], StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable("GALAXY_API_KEY", before);
        }
    }

    [Fact]
    public async Task A_failure_is_told_in_the_programs_words()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            ShellAsync("echo out; echo no >&2; exit 4")
        );
        Assert.Equal("sh ended with code 4: no", failure.Message);
        failure = await Assert.ThrowsAsync<InvalidOperationException>(() => ShellAsync("echo out; exit 4"));
        Assert.Equal("sh ended with code 4: out", failure.Message);
    }

    [Fact]
    public async Task A_program_that_talks_without_end_is_read_and_only_its_beginning_kept()
    {
        var result = await ShellAsync("yes 0123456789 | head -c 1000000; exit 0");

        Assert.InRange(((string?)result!["stdout"])!.Length, 256 * 1024, (256 * 1024) + 100);
    }

    [Fact]
    public async Task A_task_that_is_cancelled_ends_its_program()
    {
        using var cancel = new CancellationTokenSource();
        var pid = new TaskCompletionSource<string>();
        var running = Programs.RunAsync(
            "sh",
            ["-c", "echo $$; exec sleep 60"],
            null,
            null,
            line => pid.TrySetResult(line),
            cancel.Token
        );
        var id = int.Parse(
            await pid.Task.WaitAsync(TimeSpan.FromSeconds(20)),
            System.Globalization.CultureInfo.InvariantCulture
        );
        using var program = System.Diagnostics.Process.GetProcessById(id);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.True(program.WaitForExit(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_plug_in_tells_progress_and_a_result_in_lines_of_json()
    {
        var told = new List<double>();

        var result = await PluginAsync(
            """
            read given
            echo '{"progress":0.5}'
            echo 'not JSON'
            echo '{broken'
            echo "{\"result\":$given}"
            """,
            told.Add
        );

        Assert.Equal([0.5], told);
        Assert.Equal("""{"a":1}""", result!.ToJsonString());
    }

    [Theory]
    [InlineData("echo plain", "plain", null)]
    [InlineData("echo '{\"result\":null}'", null, null)]
    [InlineData("echo '{\"error\":\"too hot\"}'", null, "too hot")]
    [InlineData("echo why >&2; exit 3", null, "sh ended with code 3: why")]
    public async Task A_plug_in_may_know_nothing_of_this_and_may_fail(string script, string? result, string? error)
    {
        if (error is null)
            Assert.Equal(result, (string?)await PluginAsync(script));
        else
            Assert.Equal(
                error,
                (await Assert.ThrowsAsync<InvalidOperationException>(() => PluginAsync(script))).Message
            );
    }

    [Theory]
    [InlineData("name")]
    [InlineData("=program")]
    [InlineData("name=")]
    [InlineData("name=  ")]
    public void A_plug_in_has_a_name_and_a_program(string text) =>
        Assert.Throws<CliException>(() => PluginAction.Parse(text));

    [Fact]
    public void A_plug_in_takes_the_place_of_an_action_of_its_name_and_only_what_is_wanted_is_offered()
    {
        var chosen = ActionSet.Select(["echo", "echo", "exec:echo=./mine"], BasicActions.All);

        Assert.Equal("mine, a program of this worker", Assert.Single(chosen).Value.Description);
        Assert.Equal(BasicActions.All.Count, ActionSet.Select([], BasicActions.All).Count);
        Assert.Contains(
            "Known: echo, sleep",
            Assert.Throws<CliException>(() => ActionSet.Select(["fly"], BasicActions.All)).Message,
            StringComparison.Ordinal
        );
    }
}
