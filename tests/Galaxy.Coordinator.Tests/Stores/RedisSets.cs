using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Galaxy.Coordinator.Tests.Stores;

/// <summary>Several processes of Debian's redis that belong together; killed at the end.</summary>
public abstract class RedisSet : IAsyncDisposable
{
    private readonly Dictionary<int, Process> _processes = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("galaxy-redis-");

    public static string? Absent { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, "redis-server")))
            ? null
            : "redis-server is not on PATH: install the package redis-server to run this test.";

    /// <summary>What <c>ConnectionStrings__redis</c> would say.</summary>
    public abstract string ConnectionString { get; }

    public abstract Task StartAsync();

    protected void Start(int port, params string[] arguments)
    {
        var folder = _folder.CreateSubdirectory($"{port}").FullName;
        _processes[port] = Process.Start(
            new ProcessStartInfo(
                "redis-server",
                [.. arguments, "--port", $"{port}", "--bind", "127.0.0.1", "--dir", folder]
            )
            {
                RedirectStandardOutput = true,
            }
        )!;
        _processes[port].BeginOutputReadLine();
    }

    protected string Write(string name, string text)
    {
        var file = Path.Combine(_folder.FullName, name);
        File.WriteAllText(file, text);
        return file;
    }

    public async Task KillAsync(int port)
    {
        _processes[port].Kill();
        await _processes[port].WaitForExitAsync();
    }

    /// <summary>Says a command and gives the answer as the protocol writes it; null while nobody answers.</summary>
    protected static async Task<string?> AskAsync(int port, params string[] words)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            await using var stream = client.GetStream();
            var text =
                $"*{words.Length}\r\n"
                + string.Concat(
                    words.Select(word => $"${word.Length.ToString(CultureInfo.InvariantCulture)}\r\n{word}\r\n")
                );
            await stream.WriteAsync(Encoding.ASCII.GetBytes(text));
            var buffer = new byte[16 * 1024];
            return Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer));
        }
        catch (Exception silent) when (silent is SocketException or IOException)
        {
            return null;
        }
    }

    protected static Task AnswersAsync(int port, Func<string, bool> right, params string[] words) =>
        Eventually.TrueAsync(async () => await AskAsync(port, words) is { } answer && right(answer));

    protected static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        listeners.ForEach(listener => listener.Stop());
        return ports;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes.Values)
        {
            if (!process.HasExited)
                process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }
}

/// <summary>A master, a replica, three sentinels that watch them.</summary>
public sealed class SentinelSet : RedisSet
{
    private readonly int[] _ports = FreePorts(5);

    public int Master => _ports[0];

    public int Replica => _ports[1];

    public override string ConnectionString =>
        string.Join(',', _ports[2..].Select(port => $"127.0.0.1:{port}")) + ",serviceName=galaxy";

    public override async Task StartAsync()
    {
        Start(Master, "--appendonly", "yes", "--save", "");
        Start(Replica, "--appendonly", "yes", "--save", "", "--replicaof", "127.0.0.1", $"{Master}");
        await AnswersAsync(
            Master,
            answer => answer.Contains("connected_slaves:1", StringComparison.Ordinal),
            "INFO",
            "replication"
        );
        foreach (var port in _ports[2..])
        {
            var file = Write(
                $"sentinel-{port}.conf",
                $"sentinel monitor galaxy 127.0.0.1 {Master} 2\nsentinel down-after-milliseconds galaxy "
                    + "1000\nsentinel failover-timeout galaxy 3000\n"
            );
            Start(port, file, "--sentinel");
        }
        foreach (var port in _ports[2..])
            await AnswersAsync(
                port,
                answer => answer.Contains("slaves=1,sentinels=3", StringComparison.Ordinal),
                "INFO",
                "sentinel"
            );
    }
}

/// <summary>Three masters with the slots of a cluster between them.</summary>
public sealed class ClusterSet : RedisSet
{
    private const int Slots = 16384;
    private readonly int[] _ports = Ports();

    public override string ConnectionString => string.Join(',', _ports.Select(port => $"127.0.0.1:{port}"));

    // Nodes talk to each other at their port and ten thousand.
    private static int[] Ports()
    {
        while (true)
        {
            var ports = FreePorts(3);
            if (ports.All(port => port < 55_000))
                return ports;
        }
    }

    public override async Task StartAsync()
    {
        for (var i = 0; i < _ports.Length; i++)
        {
            Start(_ports[i], "--cluster-enabled", "yes", "--appendonly", "yes", "--save", "");
            await AnswersAsync(_ports[i], answer => answer.StartsWith("+PONG", StringComparison.Ordinal), "PING");
            var (from, to) = (Slots * i / _ports.Length, (Slots * (i + 1) / _ports.Length) - 1);
            await AnswersAsync(
                _ports[i],
                answer => answer.StartsWith("+OK", StringComparison.Ordinal),
                "CLUSTER",
                "ADDSLOTSRANGE",
                $"{from}",
                $"{to}"
            );
        }
        foreach (var port in _ports[1..])
            await AskAsync(_ports[0], "CLUSTER", "MEET", "127.0.0.1", $"{port}");
        foreach (var port in _ports)
            await AnswersAsync(
                port,
                answer =>
                    answer.Contains("cluster_state:ok", StringComparison.Ordinal)
                    && answer.Contains("cluster_known_nodes:3", StringComparison.Ordinal),
                "CLUSTER",
                "INFO"
            );
    }
}
