using System.Collections.Immutable;
using Galaxy.Console.Cluster;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.Console.Live;

/// <summary>
/// Values that change all the time and are in no watch: the rest of the lease, round trips, the lag of each
/// coordinator.
/// </summary>
/// <param name="Leader">As the leader itself tells it, with what is left of its lease; null: there is none.</param>
/// <param name="Failover">As the leader tells it.</param>
/// <param name="Sync">By coordinator; those that answer.</param>
/// <param name="Found">What discovery sees; empty: it does not answer.</param>
/// <param name="Conflicts">Entries of the state that wait for the decision of a user.</param>
/// <param name="SetAside">Stored records that cannot be used.</param>
public sealed record Beat(
    LeaderResponse? Leader,
    FailoverStatus? Failover,
    ImmutableDictionary<string, SyncStatus> Sync,
    ImmutableArray<FoundNode> Found,
    int Conflicts,
    int SetAside = 0
)
{
    public static Beat None { get; } = new(null, null, ImmutableDictionary<string, SyncStatus>.Empty, [], 0);

    /// <summary>The connection between two coordinators, as either of them measured it.</summary>
    public SyncPeer? Between(string one, string other) =>
        Sync.GetValueOrDefault(one)?.Peers.FirstOrDefault(peer => peer.NodeId == other)
        ?? Sync.GetValueOrDefault(other)?.Peers.FirstOrDefault(peer => peer.NodeId == one);
}

/// <summary>A node that discovery sees, with the discovery sources that saw it.</summary>
public sealed record FoundNode(
    string NodeId,
    string Url,
    string Trust,
    string? Distrust,
    IReadOnlyDictionary<string, DateTimeOffset> Roads,
    double? RttMs
);

/// <summary>Asks each coordinator once a second while at least one page follows.</summary>
internal sealed partial class Pulse(ClusterHttp http, ClusterWatcher watcher, TimeProvider time, ILogger<Pulse> log)
    : SharedLoop
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(900);
    private const int SlowEvery = 5;

    private volatile Beat _current = Beat.None;

    public Beat Current => _current;

    protected override async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Every, time);
        for (var turn = 0; ; turn++)
        {
            _current = await BeatAsync(turn % SlowEvery == 0, cancellation);
            Changed();
            await timer.WaitForNextTickAsync(cancellation);
        }
    }

    private async Task<Beat> BeatAsync(bool withSlow, CancellationToken cancellation)
    {
        var view = watcher.Current;
        var leader = view.UsableLeader?.Url.TrimEnd('/');
        var lease = leader is null
            ? null
            : http.ReadAsync<ClusterResponse>(leader + "/api/v1/cluster", Patience, cancellation);
        var failover = leader is null
            ? null
            : http.ReadAsync<FailoverStatus>(leader + "/api/v1/failover", Patience, cancellation);
        var discovery = withSlow
            ? view.Services.FirstOrDefault(service => service.Kind == "discovery")?.Url.TrimEnd('/')
            : null;
        var found = discovery is null
            ? null
            : http.ReadAsync<List<FoundNode>>(discovery + "/api/v1/discovery/nodes", Patience, cancellation);
        var aside =
            withSlow && leader is not null
                ? http.ReadAsync<List<QuarantinedRecord>>(leader + "/api/v1/quarantine", Patience, cancellation)
                : null;
        var state = view.Reachable.FirstOrDefault() is { } any
            ? http.ReadAsync<StateOverview>(any.Url.TrimEnd('/') + "/api/v1/state", Patience, cancellation)
            : null;
        var sync = await Task.WhenAll(
            view.Reachable.Select(node =>
                http.ReadAsync<SyncStatus>(node.Url.TrimEnd('/') + "/api/v1/sync/status", Patience, cancellation)
            )
        );
        return new Beat(
            lease is null ? null : (await lease)?.Leader,
            failover is null ? null : await failover,
            sync.OfType<SyncStatus>().DistinctBy(one => one.NodeId).ToImmutableDictionary(one => one.NodeId),
            found is not null && await found is { } nodes ? [.. nodes] : _current.Found,
            state is not null && await state is { } overview ? overview.Conflicts : _current.Conflicts,
            aside is not null && await aside is { } records ? records.Count : _current.SetAside
        );
    }

    protected override void Failed(Exception failure) => LogFailed(failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The cluster's pulse could not be taken")]
    private partial void LogFailed(Exception failure);
}
