using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Galaxy.LocalHosting.Running;
using Galaxy.LocalHosting.Testing;

namespace Galaxy.EndToEnd.Tests.Runner;

/// <summary>The runner as a person meets it: what it leaves behind, and what it says when it cannot start.</summary>
[Collection("system")]
public sealed class RunnerTests : IDisposable
{
    private static readonly string[] Resources =
    [
        "redis", "console", "coordinator-a", "coordinator-b", "coordinator-c", "router-a", "router-b", "oneapi-a", "oneapi-b", "gateway", "discovery", "worker-1", "worker-2",
    ];

    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-runner-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private string[] Arguments => ["--quiet", "--GALAXY_DATA", _data, .. RunningGalaxy.FreePorts];

    /// <summary>The built program, in a process of its own.</summary>
    private Process StartProgram(params string[] more)
    {
        var program = Path.ChangeExtension(RunningGalaxy.AppHost.GetType("Projects.Galaxy_Gateway")!.Assembly.Location, null);
        var info = new ProcessStartInfo(File.Exists(program) ? program : "dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        if (info.FileName == "dotnet")
            info.ArgumentList.Add(program + ".dll");
        foreach (var argument in (string[])[.. Arguments, .. more])
            info.ArgumentList.Add(argument);
        return Process.Start(info)!;
    }

    // The spawner's thread forks them, so each thread of the runner is asked.
    private static async Task<List<int>> AllChildrenOfAsync(int pid)
    {
        var children = new List<int>();
        foreach (var thread in Directory.GetDirectories($"/proc/{pid}/task"))
            children.AddRange((await File.ReadAllTextAsync(Path.Combine(thread, "children"))).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse));
        return children;
    }

    private static bool Runs(int pid) =>
        File.Exists($"/proc/{pid}/stat") && File.ReadAllText($"/proc/{pid}/stat").Split(") ")[1][0] is not ('Z' or 'X');

    [Fact]
    public async Task Stopping_takes_less_than_ten_seconds_and_leaves_no_process()
    {
        var host = await GalaxyTestHost.StartAsync(RunningGalaxy.AppHost, Arguments, TimeSpan.FromSeconds(120));
        var pids = Resources.Select(name => host.ProcessId(name)!.Value).ToList();
        Assert.All(pids, pid => Assert.True(Runs(pid)));

        var started = Stopwatch.GetTimestamp();
        await host.DisposeAsync();

        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10), $"{Stopwatch.GetElapsedTime(started)}");
        Assert.DoesNotContain(pids, Runs);
    }

    [Fact]
    public async Task Killing_the_runner_takes_its_processes_along()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc, which only Linux has.");
        using var runner = StartProgram();
        var output = runner.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(async () => !runner.HasExited && (await AllChildrenOfAsync(runner.Id)).Count == Resources.Length, seconds: 120);
        var children = await AllChildrenOfAsync(runner.Id);

        runner.Kill(entireProcessTree: false);

        await Eventually.TrueAsync(() => Task.FromResult(!children.Exists(Runs)), seconds: 10);
        await output;
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named_with_its_owner()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

        var (code, error) = await FailAsync("--API_PORT", port);

        Assert.Equal(3, code);
        Assert.Contains(port, error, StringComparison.Ordinal);
        Assert.Contains(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_does_not_answer_is_named()
    {
        var (code, error) = await FailAsync("--redis", "127.0.0.1:1");

        Assert.Equal(3, code);
        Assert.Contains("127.0.0.1:1", error, StringComparison.Ordinal);
        Assert.Contains("ConnectionStrings__redis", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scenario_that_does_not_exist_is_named_with_those_that_do()
    {
        var (code, error) = await FailAsync("--scenario", "mars");

        Assert.Equal(2, code);
        Assert.Contains("'mars'", error, StringComparison.Ordinal);
        Assert.Contains("multi-master", error, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Error)> FailAsync(params string[] more)
    {
        using var runner = StartProgram(more);
        var output = runner.StandardOutput.ReadToEndAsync();
        var error = runner.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await runner.WaitForExitAsync(deadline.Token);
        await output;
        return (runner.ExitCode, await error);
    }
}
