using System.CommandLine;
using Galaxy.Cli.Config;
using Galaxy.Cli.Doctor;
using Galaxy.Cli.Machine;
using Galaxy.Cli.Resources;
using Galaxy.Cli.Routing;
using Galaxy.Cli.State;
using Galaxy.Cli.Status;
using Galaxy.Cli.Tasks;
using Galaxy.Cli.Worker;
using Microsoft.AspNetCore.Http;

namespace Galaxy.Cli.Tests;

[Collection(CommandLine.OneConsole)]
public sealed class CommandTests
{
    [Theory]
    [InlineData("--worker", "--standby")]
    [InlineData("--standby", "--witness")]
    public async Task A_machine_is_one_thing(string one, string other) =>
        Assert.Equal(
            "Of --worker, --standby and --witness only one can be given.",
            (
                await Assert.ThrowsAsync<CliException>(() =>
                    CommandLine.RunAsync(StartCommand.Create(WorkerCommand.Create()), one, other)
                )
            ).Message
        );

    [Theory]
    [InlineData("--concurrency must be 1 to 1000.", "--concurrency", "0")]
    [InlineData("--concurrency must be 1 to 1000.", "--concurrency", "1001")]
    [InlineData("--shell-allow needs --allow-shell.", "--shell-allow", "ls")]
    [InlineData("--files is '/no/such', which is no folder.", "--files", "/no/such")]
    [InlineData("--models is 'here'", "--models", "here")]
    [InlineData("--master is 'http://here'", "--master", "ws://there:1,http://here")]
    [InlineData("--capability 'shell.run' needs --allow-shell.", "--capability", "shell.run")]
    public async Task A_worker_with_options_that_do_not_fit_does_not_start(string says, params string[] options) =>
        Assert.StartsWith(
            says,
            (
                await Assert.ThrowsAsync<CliException>(() => CommandLine.RunAsync(WorkerCommand.Create(), options))
            ).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public async Task What_is_no_act_is_answered_with_those_that_are()
    {
        var (code, output) = await CommandLine.RunAsync(ResourcesCommand.Create(), "router", "destroy");

        Assert.Equal(1, code);
        Assert.Contains("'restart'", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost:8000")]
    [InlineData("ftp://there")]
    public async Task The_doctor_refuses_an_address_that_is_none(string url) =>
        Assert.StartsWith(
            $"--url is '{url}'",
            (
                await Assert.ThrowsAsync<CliException>(() => CommandLine.RunAsync(DoctorCommand.Create(), "--url", url))
            ).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("completed", 0)]
    [InlineData("failed", 1)]
    [InlineData("cancelled", 1)]
    public async Task The_exit_code_of_a_task_says_how_it_ended(string state, int code)
    {
        var sent = "";
        await using var server = await OneServer.StartAsync(async context =>
        {
            if (context.Request.Method == "POST")
                sent = await new StreamReader(context.Request.Body).ReadToEndAsync();
            var now = context.Request.Method == "POST" ? "running" : state;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync($$"""{"task_id":"t1","name":"n","action":"echo","state":"{{now}}"}""");
        });

        var result = await CommandLine.RunAsync(
            TaskCommand.Create(),
            "submit",
            "echo",
            "--params",
            """{"a":1}""",
            "--url",
            server.Url
        );

        Assert.Equal(code, result.Code);
        Assert.Contains("\"params\":{\"a\":1}", sent, StringComparison.Ordinal);
        Assert.Contains($"\"state\": \"{state}\"", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_explanation_is_shown_with_names_as_they_are_and_nobody_is_a_failure()
    {
        var asked = "";
        await using var server = await OneServer.StartAsync(context =>
        {
            asked = context.Request.Path.Value + context.Request.QueryString.Value;
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(
                """
                {"strategy":"least_loaded","candidates":[],"excluded":[{"id":"[red]lamp","reason":"busy [0]"}]}
                """
            );
        });

        var (code, output) = await CommandLine.RunAsync(
            RouteCommand.Create(),
            "a b",
            "--labels",
            "x=1,y=2&z",
            "--url",
            server.Url
        );

        Assert.Equal((1, "/route/a b?explain=true&labels=x%3D1%2Cy%3D2%26z"), (code, asked));
        Assert.Contains("[red]lamp", output, StringComparison.Ordinal);
        Assert.Contains("busy [0]", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_status_marks_the_leader_and_says_when_there_is_none()
    {
        const string Cluster = """
            {"cluster":"[home]",LEADER"nodes":[{"node_id":"a","role":"coordinator","state":"alive","url":"http://a",
            "boot":"1","pid":1,"version":"1","started_at":"2026-01-01T00:00:00Z"}],"devices_online":2,"services":[]}
            """;
        const string Leader = """
            "leader":{"node_id":"a","token":7,"url":"http://a","since":"2026-01-01T00:00:00Z"},
            """;
        var leader = Leader;
        await using var server = await OneServer.StartAsync(context =>
        {
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(Cluster.Replace("LEADER", leader, StringComparison.Ordinal));
        });

        var (_, led) = await CommandLine.RunAsync(StatusCommand.Create(), "--url", server.Url);
        leader = "";
        var (_, unled) = await CommandLine.RunAsync(StatusCommand.Create(), "--url", server.Url);

        Assert.Contains("cluster [home]", led, StringComparison.Ordinal);
        Assert.Contains("a ★", led, StringComparison.Ordinal);
        Assert.Contains("none (an election is under way", unled, StringComparison.Ordinal);
        Assert.DoesNotContain("★", unled, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("providers", "providers", 0, "7")]
    [InlineData("providers.home.base_url", "providers", 2, """{"home":{"base_url":7}}""")]
    public void A_place_in_a_document_becomes_a_merge_patch(string path, string document, int places, string patch)
    {
        var made = ConfigCommand.Patch(path, 7);

        Assert.Equal((document, places, patch), (made.Document, made.Patch.Places, made.Patch.Json!.ToJsonString()));
        Assert.Throws<CliException>(() => ConfigCommand.Patch(path + ".", 7));
    }

    [Theory]
    [InlineData("null", "Line 2 is no JSON object.")]
    [InlineData("[]", "Line 2 is no JSON object.")]
    [InlineData("", "Line 2 cannot be read")]
    [InlineData("""{"value":1}""", "Line 2 has no 'key'.")]
    [InlineData("""{"key":"k","value_base64":"?"}""", "Line 2 cannot be read")]
    public async Task A_line_that_cannot_be_imported_is_named_and_those_before_it_are_written(string line, string says)
    {
        var written = new List<string>();
        await using var server = await OneServer.StartAsync(context =>
        {
            written.Add(context.Request.Path.Value!);
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(
                """
                {"namespace":"ns","key":"first","value":1,"etag":"1","policy":"last_write_wins","priority":0,
                "updated_at":"2026-01-01T00:00:00Z","contested":false}
                """
            );
        });
        using var folder = new Folder();
        await File.WriteAllTextAsync(folder["entries"], "{\"key\":\"first\",\"value\":1}\n" + line + "\n");

        var failure = await Assert.ThrowsAsync<CliException>(() =>
            CommandLine.RunAsync(TransferCommands.Import(), "ns", folder["entries"], "--url", server.Url)
        );

        Assert.Single(written);
        Assert.StartsWith(says, failure.Message, StringComparison.Ordinal);
    }
}
