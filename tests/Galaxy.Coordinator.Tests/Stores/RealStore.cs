using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Tests.Stores;

/// <summary>
/// A store in a process of its own on a free port, which a test may kill and start again with its data.
/// </summary>
public abstract class RealStore : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly int _port = FreePort();
    private Process? _process;

    protected string Folder { get; } = Directory.CreateTempSubdirectory("galaxy-store-").FullName;

    public string Address =>
        $"127.0.0.1:{_port},abortConnect=false,connectTimeout=1000,asyncTimeout=2000,allowAdmin=true";

    /// <summary>Why the store cannot run here; null when it can.</summary>
    public virtual string? Absent => null;

    protected abstract ProcessStartInfo Command(string port);

    public async ValueTask InitializeAsync()
    {
        if (Absent is null)
            await StartAsync();
    }

    /// <summary>A connection of its own.</summary>
    public async Task<IConnectionMultiplexer> ConnectAsync()
    {
        if (Absent is { } reason)
            Assert.Skip(reason);
        return await ConnectionMultiplexer.ConnectAsync(Address);
    }

    public async Task StartAsync()
    {
        var info = Command(_port.ToString(CultureInfo.InvariantCulture));
        info.RedirectStandardOutput = true;
        info.RedirectStandardError = true;
        _process = Process.Start(info) ?? throw new InvalidOperationException("the store did not start");
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Address);
        for (var started = Stopwatch.GetTimestamp(); ; )
        {
            try
            {
                // A store that has just started answers a ping long before it has compiled what runs scripts, on a busy
                // machine by more than our patience with one call. Electors try again; most tests do not.
                await redis.GetDatabase().ScriptEvaluateAsync("return redis.call('PING')");
                return;
            }
            catch (Exception notYet)
                when (notYet is RedisException or TimeoutException && Stopwatch.GetElapsedTime(started) < Patience)
            {
                await Task.Delay(50);
            }
        }
    }

    /// <summary>SIGKILL: no time to flush.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await KillAsync();
        _process?.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    // Below the range of outgoing connections, which might take the port while the store starts.
    private static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(12_000, 20_000);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: try the next.
            }
        }
    }
}

/// <summary>The embedded default.</summary>
public sealed class GarnetStore : RealStore
{
    protected override ProcessStartInfo Command(string port) =>
        new(
            "dotnet",
            ["exec", Path.Combine(AppContext.BaseDirectory, "Galaxy.Store.dll"), "--port", port, "--data", Folder]
        );
}

/// <summary>Debian's redis-server.</summary>
public sealed class RedisServerStore : RealStore
{
    public override string? Absent { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, "redis-server")))
            ? null
            : "redis-server is not on PATH: install the package redis-server to run this test.";

    protected override ProcessStartInfo Command(string port) =>
        new(
            "redis-server",
            [
                "--bind",
                "127.0.0.1",
                "--port",
                port,
                "--dir",
                Folder,
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--save",
                "",
            ]
        );
}
