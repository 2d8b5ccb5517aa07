using System.Net;
using System.Net.Sockets;
using System.Text;
using Galaxy.LocalHosting.Control;
using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;
using Galaxy.LocalHosting.Supervision;

namespace Galaxy.LocalHosting.Tests.Supervision;

public sealed class SupervisorTests : IDisposable
{
    private readonly Folder _folder = new();

    public SupervisorTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "The processes are of /bin/sh.");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_process_starts_when_those_it_waits_for_are_healthy_and_all_end_with_the_run()
    {
        var status = "503 Not yet";
        using var health = new TcpListener(IPAddress.Loopback, 0);
        health.Start();
        var asked = new SemaphoreSlim(0);
        var serving = Task.Run(async () =>
        {
            while (true)
            {
                using var client = await health.AcceptTcpClientAsync();
                _ = await client.GetStream().ReadAsync(new byte[1024]);
                var answer = $"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer));
                asked.Release();
            }
        });
        var http = new EndpointDescription("http", 1);
        await using var supervisor = new Supervisor(
            [
                Shells.Run("second", "exec sleep 60") with
                {
                    WaitsFor = ["first", "not of this system"],
                },
                Shells.Run("first", "exec sleep 60") with
                {
                    Kind = new ServiceKind("first", "first") { Endpoints = [http] },
                    Endpoints = [new BoundEndpoint(http, ((IPEndPoint)health.LocalEndpoint).Port)],
                },
            ],
            _folder["data"],
            quiet: true
        );
        var run = supervisor.RunAsync(default);
        IEnumerable<string> States() => ((IProcessControl)supervisor).List().Select(process => process.State);

        Assert.True(await asked.WaitAsync(Eventually.Patience));
        Assert.True(await asked.WaitAsync(Eventually.Patience));
        Assert.Equal(["waiting", "starting"], States());
        status = "200 OK";
        await supervisor.Started.WaitAsync(Eventually.Patience);
        Assert.Equal(["healthy", "healthy"], States());
        supervisor.RequestStop();

        Assert.Equal(0, await run.WaitAsync(Eventually.Patience));
        Assert.All(((IProcessControl)supervisor).List(), process => Assert.Equal("stopped", process.State));
        Assert.False(File.Exists(_folder["data/runner.json"]));
        health.Stop();
        await Assert.ThrowsAnyAsync<Exception>(() => serving);
    }

    [Fact]
    public async Task When_one_cannot_be_started_the_others_are_stopped_and_the_reason_is_told()
    {
        await using var supervisor = new Supervisor(
            [
                Shells.Run("well", "exec sleep 60"),
                Shells.Run("gone", "") with
                {
                    Program = "/no/such/program",
                    WaitsFor = ["well"],
                },
                Shells.Run("later", "exec sleep 60") with
                {
                    WaitsFor = ["gone"],
                },
            ],
            _folder["data"],
            quiet: true
        );

        Assert.Equal(3, await supervisor.RunAsync(default).WaitAsync(Eventually.Patience));

        var refused = await Assert.ThrowsAsync<SupervisorException>(() => supervisor.Started);
        Assert.StartsWith("'gone' could not be started", refused.Message, StringComparison.Ordinal);
        Assert.Equal(
            ["stopped", "failed", "waiting"],
            ((IProcessControl)supervisor).List().Select(process => process.State)
        );
    }

    [Fact]
    public async Task A_second_system_in_the_same_folder_starts_nothing()
    {
        Directory.CreateDirectory(_folder["data"]);
        using var first = DataFolderLock.Acquire(_folder["data"]);
        await using var supervisor = new Supervisor([Shells.Run("p", "exit 0")], _folder["data"], quiet: true);

        Assert.Equal(3, await supervisor.RunAsync(default).WaitAsync(Eventually.Patience));

        Assert.Equal("waiting", ((IProcessControl)supervisor).List().Single().State);
    }
}
