using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Fencing;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Tasks;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Failover;

/// <summary>
/// Goes once through everything that a node does when it takes over, under names of its own. A process that does it for the
/// first time spends most of the time compiling it, and a failover is no time for that.
/// </summary>
internal sealed partial class Rehearsal(
    RedisStores stores, GossipLoop loop, LeaderProbe probe, TaskStore tasks, Identity identity, NodeOptions node, ILoggerFactory loggers, TimeProvider time,
    IHostApplicationLifetime application, ILogger<Rehearsal> log) : BackgroundService
{
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var started = new CancellationTokenSource();
        await using var registration = application.ApplicationStarted.Register(started.Cancel);
        await Task.Delay(Timeout.InfiniteTimeSpan, time, CancellationTokenSource.CreateLinkedTokenSource(started.Token, stoppingToken).Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await loop.Joined.WaitAsync(stoppingToken);
            // Twice: the second time runs what the first one compiled, and shows what that leaves.
            await LeadAsync();
            await LeadAsync();
            await probe.CallAsync(identity.GrpcUrl, identity.Boot);
            await probe.AskWitnessesAsync(new LeaseRecord(node.NodeId, identity.Boot, 0, identity.Url, "", 0));
            await AskAsync(stoppingToken);
        }
        catch (Exception failure) when (failure is StoreUnavailableException or RedisException or TimeoutException or HttpRequestException or OperationCanceledException)
        {
            LogCutShort(failure.Message);
        }
    }

    // On keys of its own in the real stores: also their script caches know everything afterwards.
    private async Task LeadAsync()
    {
        var scratch = node with { Cluster = $"{node.Cluster}/rehearsal/{node.NodeId}" };
        var keys = new StoreKeys(scratch.Cluster);
        var lease = new LeaseStore(stores, scratch);
        using var fenced = new FencedStores(stores, scratch, loggers.CreateLogger<FencedStores>());
        var wanted = new LeaseRecord(node.NodeId, identity.Boot, 0, identity.Url, "", 0);
        await lease.ReadAsync(Ttl, 0);
        var (held, _, _) = await lease.AcquireAsync(wanted, wanted with { Token = 1 }, 0, Ttl, () => { });
        if (held is not null)
        {
            await fenced.BeginAsync(held.Token);
            await lease.RenewAsync(held, Ttl);
            var task = new TaskView { TaskId = "rehearsal", Name = "rehearsal", Action = "rehearsal", CreatedAt = time.GetUtcNow() };
            var text = JsonSerializer.Serialize(task, GalaxyJson.Options);
            await fenced.WriteAsync(held.Token, [new FencedCommand("SET", keys["task"], text)]);
            JsonSerializer.Deserialize<TaskView>(text, GalaxyJson.Options);
            await lease.ReleaseAsync(held.Boot, held.Token, new LeaseRelease("", node.NodeId, "manual", ""), Ttl);
        }
        await tasks.ReadOpenAsync();
        RedisKey[] all = [.. new[] { "lease", "token", "accepted", "released", "born", "silent", "position", "task" }.Select(name => (RedisKey)keys[name])];
        await Task.WhenAll(stores.All.Where(store => store.IsConnected).Select(store => store.GetDatabase().KeyDeleteAsync(all)));
    }

    // A task without an action is refused wherever it arrives, but only after it has been read.
    private async Task AskAsync(CancellationToken stopping)
    {
        using var http = new HttpClient { BaseAddress = new Uri(identity.Url) };
        if (node.ApiKey is { } key)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        for (var i = 0; i < 2; i++)
        {
            using var body = new StringContent("""{"action":""}""", Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync("/api/v1/tasks", body, stopping);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The rehearsal was cut short: {Reason}")]
    private partial void LogCutShort(string reason);
}
