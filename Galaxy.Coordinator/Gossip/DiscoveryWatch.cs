using System.Collections.Concurrent;
using Galaxy.Contracts.Discovery;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.Storage;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;
using Service = Galaxy.Contracts.Cluster.Service;

namespace Galaxy.Coordinator.Gossip;

/// <summary>
/// Watches the discovery services of this machine, and knocks at every coordinator of our cluster that they found and
/// believe. What it says of itself is believed only when it answers with the cluster's key.
/// </summary>
internal sealed partial class DiscoveryWatch(
    Membership membership,
    ReplicatedState replica,
    GossipLoop loop,
    OwnAddresses own,
    CoordinatorChannels channels,
    NodeOptions node,
    Identity identity,
    TimeProvider time,
    ILogger<DiscoveryWatch> log,
    Quarantine quarantine
) : PeriodicService(TimeSpan.FromMilliseconds(500), time, log)
{
    private const string GrpcLabel = "grpc_url";
    private const int MostDoors = 256;

    /// <summary>
    /// An address that answered is known to the members under some name; one that did not is tried again soon.
    /// </summary>
    private static readonly TimeSpan AfterAnswer = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AfterSilence = TimeSpan.FromSeconds(2);

    private readonly ILogger _log = log;
    private readonly Dictionary<string, Task> _watches = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, Found> _found = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, (long At, TimeSpan Pause)> _knocked = new(StringComparer.OrdinalIgnoreCase);
    private readonly SemaphoreSlim _turn = new(1, 1);

    protected override async Task TurnAsync(CancellationToken stopping)
    {
        foreach (var ended in _watches.Where(pair => pair.Value.IsCompleted).Select(pair => pair.Key).ToList())
            _watches.Remove(ended);
        foreach (var address in Discoveries().Where(address => !_watches.ContainsKey(address)))
            _watches[address] = Task.Run(() => WatchAsync(address, stopping), CancellationToken.None);
        await KnockAsync(stopping);
    }

    // Services of this machine: the others watch theirs.
    private IEnumerable<string> Discoveries() =>
        replica
            .List(Namespaces.Services)
            .Select(entry => quarantine.Parse(entry, Service.Parser, service => service.Id))
            .OfType<Service>()
            .Where(service =>
                service.Kind == "discovery"
                && Time.GetUtcNow().ToUnixTimeMilliseconds() - service.LastSeenUnixMs < service.TtlMs
            )
            .Select(service => service.Labels.GetValueOrDefault(GrpcLabel) ?? "")
            .Where(address => Uri.TryCreate(address, UriKind.Absolute, out var url) && own.IsOwn(url.Host));

    private async Task WatchAsync(string address, CancellationToken stopping)
    {
        try
        {
            using var call = channels
                .Discovery(address)
                .Watch(new WatchRequest { Watcher = node.NodeId }, cancellationToken: stopping);
            await foreach (var found in call.ResponseStream.ReadAllAsync(stopping))
            {
                _found[address] = found;
                await KnockAsync(stopping);
            }
        }
        catch (Exception failure)
            when (failure
                    is RpcException
                        or HttpRequestException
                        or IOException
                        or OperationCanceledException
                        or ObjectDisposedException
            )
        {
            // It is opened again at the next turn, as long as the service is in the registry.
            LogWatchEnded(_log, address, failure.Message);
        }
        finally
        {
            _found.TryRemove(address, out _);
        }
    }

    private async Task KnockAsync(CancellationToken stopping)
    {
        await _turn.WaitAsync(stopping);
        try
        {
            var known = membership
                .Members.OtherLive.Select(member => member.GrpcUrl)
                .ToHashSet(StringComparer.OrdinalIgnoreCase);
            var doors = _found
                .Values.SelectMany(found => found.Nodes)
                .Where(MayJoin)
                .Select(found => found.GrpcUrl)
                .Distinct(StringComparer.OrdinalIgnoreCase)
                .Where(door =>
                    !known.Contains(door)
                    && !string.Equals(door, identity.GrpcUrl, StringComparison.OrdinalIgnoreCase)
                    && IsDue(door)
                )
                .Take(MostDoors)
                .ToList();
            await Task.WhenAll(
                doors.Select(async door =>
                {
                    var failure = await loop.IntroduceAsync(door, stopping);
                    lock (_knocked)
                    {
                        if (_knocked.Count >= MostDoors)
                            _knocked.Clear();
                        _knocked[door] = (Time.GetTimestamp(), failure is null ? AfterAnswer : AfterSilence);
                    }
                    if (failure is null)
                        LogJoined(_log, door);
                })
            );
        }
        finally
        {
            _turn.Release();
        }
    }

    private bool MayJoin(FoundNode found) =>
        found.Trust is "trusted" or "open"
        && found.Cluster == node.Cluster
        && found.NodeId != node.NodeId
        && found.Role is "coordinator" or "standby"
        && Uri.TryCreate(found.GrpcUrl, UriKind.Absolute, out var url)
        && url.Scheme is "http" or "https";

    private bool IsDue(string door)
    {
        lock (_knocked)
            return !_knocked.TryGetValue(door, out var last) || Time.GetElapsedTime(last.At) >= last.Pause;
    }

    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Met the coordinator at {Address}, which discovery found")]
    private static partial void LogJoined(ILogger log, string address);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The watch on discovery at {Address} ended: {Reason}")]
    private static partial void LogWatchEnded(ILogger log, string address, string reason);
}
