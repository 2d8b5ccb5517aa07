using System.Globalization;
using StackExchange.Redis;

namespace Galaxy.Bench.Failover;

/// <summary>
/// Redis Sentinel: one master, two replicas, three sentinels, down-after 1 s, other timings as they come; a SET on
/// whatever master the sentinels name.
/// </summary>
internal sealed class SentinelRuns : IAsyncDisposable
{
    private const int FirstServer = 26_479;
    private const int FirstSentinel = 26_579;

    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-bench-sentinel-").FullName;
    private readonly List<PeerProcess> _servers = [];
    private readonly List<PeerProcess> _sentinels = [];
    private readonly List<IConnectionMultiplexer> _toServers = [];
    private readonly List<IConnectionMultiplexer> _toSentinels = [];

    public static async Task<SentinelRuns> StartAsync()
    {
        var runs = new SentinelRuns();
        for (var i = 0; i < 3; i++)
        {
            var port = FirstServer + i;
            var folder = Directory.CreateDirectory(Path.Combine(runs._data, $"s{i}")).FullName;
            // The sentinels rewrite it: a restarted master comes back as a replica.
            var file = Path.Combine(folder, "redis.conf");
            await File.WriteAllTextAsync(
                file,
                $"bind 127.0.0.1\nport {port}\ndir {folder}\nappendonly yes\nsave \"\"\n"
                    + $"{(i > 0 ? $"replicaof 127.0.0.1 {FirstServer}\n" : "")}"
            );
            runs._servers.Add(new PeerProcess("redis-server", () => [file]));
            runs._servers[^1].Start();
        }
        for (var i = 0; i < 3; i++)
        {
            var file = Path.Combine(runs._data, $"sentinel{i}.conf");
            await File.WriteAllTextAsync(
                file,
                $"bind 127.0.0.1\nport {FirstSentinel + i}\ndir {runs._data}\nsentinel monitor main "
                    + $"127.0.0.1 {FirstServer} 2\nsentinel down-after-milliseconds main 1000\n"
            );
            runs._sentinels.Add(new PeerProcess("redis-sentinel", () => [file]));
            runs._sentinels[^1].Start();
        }
        for (var i = 0; i < 3; i++)
        {
            runs._toServers.Add(await ConnectAsync(FirstServer + i));
            runs._toSentinels.Add(await ConnectAsync(FirstSentinel + i));
        }
        await runs.SettledAsync();
        return runs;
    }

    private static async Task<IConnectionMultiplexer> ConnectAsync(int port) =>
        await ConnectionMultiplexer.ConnectAsync(
            new ConfigurationOptions
            {
                EndPoints = { { "127.0.0.1", port } },
                AbortOnConnectFail = false,
                ConnectTimeout = 500,
                AsyncTimeout = 1000,
                ReconnectRetryPolicy = new LinearRetry(50),
                BacklogPolicy = BacklogPolicy.FailFast,
                CommandMap = port >= FirstSentinel ? CommandMap.Sentinel : CommandMap.Default,
                AllowAdmin = true,
            }
        );

    public Task<TimeSpan> KillAsync() => RunAsync(PeerProcess.Kill);

    public Task<TimeSpan> PauseAsync() => RunAsync(PeerProcess.Stop);

    public Task<TimeSpan> TerminateAsync() => RunAsync(PeerProcess.Terminate);

    private async Task<TimeSpan> RunAsync(int signal)
    {
        var master = await SettledAsync();
        var next = 0;
        var took = await FirstWrite.AfterAsync(
            () =>
            {
                _servers[master].Signal(signal);
                return Task.CompletedTask;
            },
            async _ =>
            {
                var sentinel = Interlocked.Increment(ref next) % 3;
                if (await MasterAsync(sentinel) is not { } named || named == master)
                    return false;
                return await _toServers[named].GetDatabase().StringSetAsync("k", "v");
            }
        );
        if (signal == PeerProcess.Stop)
            _servers[master].Signal(PeerProcess.Continue);
        else
            await _servers[master].RestartAsync();
        return took;
    }

    private async Task<int?> MasterAsync(int sentinel)
    {
        var address = (string[]?)
            await _toSentinels[sentinel].GetServers()[0].ExecuteAsync("SENTINEL", "get-master-addr-by-name", "main");
        return address is [_, var port] ? int.Parse(port, CultureInfo.InvariantCulture) - FirstServer : null;
    }

    /// <summary>The master, once the sentinels agree and both others replicate from it.</summary>
    private async Task<int> SettledAsync()
    {
        var master = -1;
        await FirstWrite.UntilAsync("Sentinel has a master and two replicas", async () =>
        {
            var named = await Task.WhenAll(Enumerable.Range(0, 3).Select(MasterAsync));
            if (named[0] is not { } first || named.Any(other => other != first))
                return false;
            master = first;
            var masterInfo = await _toServers[first].GetServers()[0].InfoRawAsync("replication") ?? "";
            var sees = await Task.WhenAll(
                _toSentinels.Select(sentinel => sentinel.GetServers()[0].InfoRawAsync("sentinel"))
            );
            return masterInfo.Contains("role:master", StringComparison.Ordinal)
                && masterInfo.Contains("connected_slaves:2", StringComparison.Ordinal)
                // A sentinel learns of replicas from INFO, every 10 s: one that it does not know when the master dies
                // is never moved to the next.
                && sees.All(text =>
                    text?.Contains("status=ok", StringComparison.Ordinal) == true
                    && text.Contains("slaves=2", StringComparison.Ordinal)
                    && text.Contains("sentinels=3", StringComparison.Ordinal)
                );
        });
        await Task.Delay(Random.Shared.Next(1000, 2000));
        return master;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _toServers.Concat(_toSentinels))
            await connection.DisposeAsync();
        foreach (var process in _sentinels.Concat(_servers))
            await process.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }
}
