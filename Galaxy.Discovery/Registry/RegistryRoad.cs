using System.Text;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Discovery.Peers;
using Galaxy.Discovery.Roads;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Discovery.Registry;

/// <summary>
/// The registry in the cluster's store, for clouds, which have no multicast: each node's announcement under a key that
/// expires, and a sorted set of the names. Goodbyes and arrivals are published on a channel, so that no node waits for
/// the next read.
/// </summary>
internal sealed partial class RegistryRoad : PeriodicService, IRoad
{
    private const string Road = "registry";
    private const int MostNodes = PeerBook.MostPeers;

    /// <summary>The lease interval of the <c>lan</c> preset.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Life = Every * 4;
    private static readonly TimeSpan NamesLife = TimeSpan.FromHours(1);

    private readonly RedisStores? _stores;
    private readonly LocalNodes _local;
    private readonly PeerTable _peers;
    private readonly Trust _trust;
    private readonly ILogger<RegistryRoad> _log;
    private readonly RedisKey _names;
    private readonly string _prefix;
    private readonly RedisChannel _news;
    private readonly Dictionary<string, string> _known = new(StringComparer.Ordinal);
    private IReadOnlyList<LocalNode> _announced = [];
    private int _looks;

    public RegistryRoad(
        RegistryStores stores,
        LocalNodes local,
        PeerTable peers,
        Trust trust,
        NodeOptions node,
        TimeProvider time,
        ILogger<RegistryRoad> log
    )
        : base(Every, time, log)
    {
        (_stores, _local, _peers, _trust, _log) = (stores.Stores, local, peers, trust, log);
        _prefix = $"galaxy:registry:{node.Cluster}:";
        _names = _prefix + "names";
        _news = RedisChannel.Literal(_prefix + "news");
        Status = new RoadStatus(Road, _stores is not null);
        local.Changed += ScanNow;
    }

    public RoadStatus Status { get; }

    public void ScanNow() => Observe(LookOnceAsync);

    protected override async Task ReadyAsync(CancellationToken stopping)
    {
        foreach (var store in _stores?.All ?? [])
        {
            try
            {
                await store.GetSubscriber().SubscribeAsync(_news, (_, _) => Observe(LookOnceAsync));
            }
            catch (Exception failure) when (failure is RedisException or TimeoutException)
            {
                // Without the subscription arrivals are noticed at the next read; the library subscribes when the store
                // is back.
                LogNoStore(failure.Message);
            }
        }
    }

    protected override Task TurnAsync(CancellationToken stopping) =>
        _stores is null ? Task.CompletedTask : LookOnceAsync();

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _local.Changed -= ScanNow;
        await base.StopAsync(cancellationToken);
        foreach (var own in _announced)
            await OnStoresAsync(database => RemoveAsync(database, own.NodeId));
    }

    // One at a time; reasons that come up during a look make one more.
    private async Task LookOnceAsync()
    {
        if (_stores is null || Interlocked.Increment(ref _looks) > 1)
            return;
        int begun;
        do
        {
            begun = Volatile.Read(ref _looks);
            try
            {
                await AnnounceAsync();
                await OnStoresAsync(ReadAsync);
            }
            catch
            {
                Volatile.Write(ref _looks, 0);
                throw;
            }
        } while (Interlocked.CompareExchange(ref _looks, 0, begun) != begun);
    }

    private async Task AnnounceAsync()
    {
        var nodes = _local.Current;
        var before = _announced;
        foreach (var gone in before.Where(old => nodes.All(own => own.NodeId != old.NodeId)))
            await OnStoresAsync(database => RemoveAsync(database, gone.NodeId));
        foreach (var own in nodes)
        {
            var text = Encoding.UTF8.GetString(
                _trust.Make(NodeAnnouncement.Of(own, AnnouncementKind.Response)).ToBytes()
            );
            await OnStoresAsync(database => WriteAsync(database, own.NodeId, text, isNew: !before.Contains(own)));
        }
        _announced = nodes;
    }

    private async Task WriteAsync(IDatabase database, string nodeId, string text, bool isNew)
    {
        var now = Time.GetUtcNow().ToUnixTimeMilliseconds();
        await Task.WhenAll(
            database.StringSetAsync(_prefix + nodeId, text, Life),
            database.SortedSetAddAsync(_names, nodeId, now + Life.TotalMilliseconds),
            database.KeyExpireAsync(_names, NamesLife),
            isNew ? database.PublishAsync(_news, nodeId) : Task.CompletedTask
        );
        Status.CountSent();
    }

    private async Task RemoveAsync(IDatabase database, string nodeId)
    {
        await Task.WhenAll(database.KeyDeleteAsync(_prefix + nodeId), database.SortedSetRemoveAsync(_names, nodeId));
        await database.PublishAsync(_news, nodeId);
        Status.CountSent();
    }

    private async Task ReadAsync(IDatabase database)
    {
        var now = Time.GetUtcNow();
        // A generous bound by this machine's clock: the store itself expires the keys.
        await database.SortedSetRemoveRangeByScoreAsync(
            _names,
            double.NegativeInfinity,
            (now - NamesLife).ToUnixTimeMilliseconds()
        );
        var names = await database.SortedSetRangeByRankAsync(_names, 0, MostNodes - 1, Order.Descending);
        var texts =
            names.Length == 0
                ? []
                : await database.StringGetAsync([.. names.Select(name => (RedisKey)(_prefix + name))]);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < names.Length; i++)
        {
            if (texts[i].HasValue && Note((byte[])texts[i]!) is { } who)
                seen.Add(who);
        }
        foreach (var gone in _known.Where(pair => !seen.Contains(pair.Key)).ToList())
        {
            _known.Remove(gone.Key);
            var slash = gone.Key.IndexOf('/', StringComparison.Ordinal);
            _peers.Goodbye(gone.Key[..slash], gone.Key[(slash + 1)..], Road, signed: false);
        }
    }

    private string? Note(byte[] text)
    {
        Status.CountReceived();
        if (!Announcement.TryParse(text, out var heard))
        {
            Status.Reject("malformed");
            return null;
        }
        var who = $"{heard.Cluster}/{heard.NodeId}";
        if (_local.Contains(heard.Cluster, heard.NodeId))
            return who;
        // Read again before it was written again: still there, and judged already.
        var again = _known.TryGetValue(who, out var nonce) && nonce == heard.Nonce;
        var verdict = again
            ? new Verdict(_trust.HasKey ? PeerTrust.Trusted : PeerTrust.Open, null)
            : _trust.Judge(heard);
        if (verdict.Reason is { } reason)
            Status.Reject(reason);
        else
            _known[who] = heard.Nonce;
        _peers.See(NodeAnnouncement.Seen(Road, heard, verdict) with { Life = Life, IsOld = again });
        return who;
    }

    // One of several stores may be away; the others tell the same.
    private async Task OnStoresAsync(Func<IDatabase, Task> act)
    {
        var open = 0;
        foreach (var store in _stores!.All)
        {
            try
            {
                await act(store.GetDatabase());
                open++;
            }
            catch (Exception failure) when (failure is RedisException or TimeoutException or ObjectDisposedException)
            {
                Status.Reject("store does not answer");
                LogNoStore(failure.Message);
            }
        }
        Status.Sockets = open;
        var problem = open > 0 ? null : "the store does not answer";
        if (problem is not null && Status.Problem is null)
            _peers.Report($"{Road}: {problem}");
        Status.Problem = problem;
    }

    private void Observe(Func<Task> look) =>
        _ = Task.Run(async () =>
        {
            try
            {
                await look();
            }
            catch (Exception failure)
            {
                LogNoStore(failure.Message);
            }
        });

    [LoggerMessage(Level = LogLevel.Debug, Message = "The registry is not to be had: {Reason}")]
    private partial void LogNoStore(string reason);
}
