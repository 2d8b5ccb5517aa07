using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Galaxy.EndToEnd.Tests.AppHost;

/// <summary>
/// The AppHost as a person meets it: what it says when it cannot start, and what it leaves behind when it ends.
/// </summary>
[Collection("system")]
public sealed class AppHostProgramTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-apphost-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private string[] Arguments => ["--GALAXY_DATA", _data, "--ports", "any", "--NODE71_BROADCAST_PORT", "47021"];

    public static TheoryData<string[], int, string[]> Refusals =>
        new()
        {
            { ["--scenario", "mars"], 2, ["'mars'", "multi-master"] },
            { ["--scenaro", "cloud"], 2, ["'--scenaro'", "--scenario"] },
            { ["--GALAXY_LEASE", "abc"], 2, ["GALAXY_LEASE", "lan"] },
            { ["--GALAXY_API_KEY", "short"], 2, ["GALAXY_API_KEY", "8"] },
            { ["--DASHBOARD_PORT", "29871", "--API_PORT", "29871"], 3, ["DASHBOARD_PORT", "API_PORT"] },
            { ["--stores", "2"], 2, ["--stores", "1, 3, 5"] },
            { ["--redis", "nonsense"], 2, ["--redis", "host:port"] },
            { ["--redis", "127.0.0.1:1"], 3, ["127.0.0.1:1", "--redis"] },
            { ["--redis", "127.0.0.1:1", "--stores", "3"], 2, ["--redis", "--stores"] },
            { ["--API_PORT", "70000"], 2, ["API_PORT", "70000"] },
            { ["--NODE71_MDNS_ENABLD", "false"], 2, ["Did you mean --NODE71_MDNS_ENABLED?"] },
            { ["--scenario"], 2, ["--scenario needs a value"] },
        };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task An_option_that_cannot_be_used_is_refused_with_the_cure(string[] options, int code, string[] says)
    {
        using var appHost = AppHostProcess.Start([.. Arguments, .. options]);

        Assert.Equal(code, await appHost.EndAsync(seconds: 60));
        var line = Assert.Single(appHost.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        Assert.All(says, word => Assert.Contains(word, line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Help_lists_the_options()
    {
        using var appHost = AppHostProcess.Start(["--help"]);

        Assert.Equal(0, await appHost.EndAsync(seconds: 60));
        Assert.All(["--scenario", "--stores", "--redis", "--no-workers", "--ports"], option =>
            Assert.Contains(option, appHost.Output, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named_with_its_owner()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

        using var appHost = AppHostProcess.Start([.. Arguments, "--API_PORT", port]);

        Assert.Equal(3, await appHost.EndAsync(seconds: 60));
        Assert.Contains(port, appHost.Output, StringComparison.Ordinal);
        Assert.Contains(
            Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
            appHost.Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_second_start_says_that_Galaxy_already_runs_and_Ctrl_C_leaves_no_process()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc, which only Linux has.");
        using var first = AppHostProcess.Start(Arguments);
        var said = await first.WaitForAsync("Console (one-time link)", seconds: 120);
        Assert.Contains("resources are healthy", said, StringComparison.Ordinal);
        Assert.DoesNotContain("certificate", said, StringComparison.OrdinalIgnoreCase);

        using (var second = AppHostProcess.Start(Arguments))
        {
            Assert.Equal(3, await second.EndAsync(seconds: 60));
            Assert.Contains($"Galaxy already runs here (process {first.Id}", second.Output, StringComparison.Ordinal);
        }

        var started = Stopwatch.GetTimestamp();
        first.Interrupt();
        Assert.Equal(0, await first.EndAsync(seconds: 10));
        await Eventually.TrueAsync(() => Task.FromResult(first.Processes().Count == 0), seconds: 10);
        Assert.True(
            Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10),
            $"{Stopwatch.GetElapsedTime(started)}"
        );
    }

    [Fact]
    public async Task Active_passive_with_three_stores_becomes_healthy()
    {
        using var appHost = AppHostProcess.Start([.. Arguments, "--scenario", "active-passive", "--stores", "3"]);

        var said = await appHost.WaitForAsync("Console (one-time link)", seconds: 120);

        Assert.Contains("All 12 resources are healthy", said, StringComparison.Ordinal);
        await StopAsync(appHost);
    }

    [Fact]
    public async Task A_Redis_that_runs_already_takes_the_place_of_the_embedded_store()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/redis-server"), "Install the package redis-server to run this test.");
        var port = Ports.Free();
        using var redis = Process.Start(
            new ProcessStartInfo(
                "redis-server",
                ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--dir", _data]
            )
            {
                RedirectStandardOutput = true,
            }
        )!;
        try
        {
            await Eventually.TrueAsync(async () => await IsOpenAsync(port));
            using var appHost = AppHostProcess.Start([
                .. Arguments,
                "--scenario",
                "cloud",
                "--no-workers",
                "--redis",
                $"127.0.0.1:{port}",
            ]);

            var said = await appHost.WaitForAsync("Console (one-time link)", seconds: 120);

            Assert.Contains("All 6 resources are healthy", said, StringComparison.Ordinal);
            await StopAsync(appHost);
        }
        finally
        {
            redis.Kill();
            await redis.WaitForExitAsync();
        }
    }

    private static async Task<bool> IsOpenAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task StopAsync(AppHostProcess appHost)
    {
        appHost.Interrupt();
        await appHost.EndAsync(seconds: 10);
        await Eventually.TrueAsync(() => Task.FromResult(appHost.Processes().Count == 0), seconds: 10);
    }

    [Fact]
    public async Task Killing_the_AppHost_takes_everything_along()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc, which only Linux has.");
        using var appHost = AppHostProcess.Start([.. Arguments, "--scenario", "cloud"]);
        await appHost.WaitForAsync("Console (one-time link)", seconds: 120);
        Assert.True(appHost.Processes().Count > 8);

        appHost.Kill();

        await Eventually.TrueAsync(() => Task.FromResult(appHost.Processes().Count == 0), seconds: 10);
    }
}
