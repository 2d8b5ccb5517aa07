using System.Net;
using System.Net.Sockets;
using Galaxy.Contracts.Cluster;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Discovery.Peers;
using Galaxy.Discovery.Roads;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;

namespace Galaxy.Discovery.Seeds;

/// <summary>
/// The seeds of <c>Galaxy_SEEDS</c>: looked up and asked for their identity at the start, then with growing pauses
/// while one does not answer, then often enough to see that they are alive. Seeds are trusted, because the operator
/// configured them.
/// </summary>
internal sealed partial class SeedRoad(
    NodeOptions node,
    LocalNodes local,
    PeerTable peers,
    CoordinatorChannels channels,
    TimeProvider time,
    ILogger<SeedRoad> log
) : BackgroundService, IRoad
{
    private const string Road = "static";
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Alarm _alarm = new(time);
    private volatile bool _scan;

    public RoadStatus Status { get; } = new(Road, node.Seeds.Count > 0);

    public void ScanNow()
    {
        _scan = true;
        _alarm.Ring();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!Status.Enabled)
            return;
        var pause = FirstPause;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                _scan = false;
                var answered = await Task.WhenAll(node.Seeds.Select(seed => AskAsync(seed, stoppingToken)));
                Status.Sockets = answered.Count(one => one);
                pause =
                    answered.All(one => one) ? LongestPause
                    : pause * 2 < LongestPause ? pause * 2
                    : LongestPause;
                await _alarm.WaitAsync(pause, stoppingToken);
                if (_scan)
                    pause = FirstPause;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task<bool> AskAsync(string seed, CancellationToken stopping)
    {
        IReadOnlyList<string> addresses;
        try
        {
            addresses = await SeedResolver.ResolveAsync(seed, stopping);
        }
        catch (Exception failure)
            when (failure is SocketException or UriFormatException or ArgumentException
                || (failure is OperationCanceledException && !stopping.IsCancellationRequested)
            )
        {
            Status.Reject("name not found");
            if (Status.Problem is null)
            {
                LogNoName(seed, failure.Message);
                peers.Report($"{Road}: the seed '{seed}' of Galaxy_SEEDS cannot be looked up");
            }
            Status.Problem = $"the seed '{seed}' of Galaxy_SEEDS cannot be looked up";
            return false;
        }
        Status.Problem = null;
        var answers = await Task.WhenAll(addresses.Select(address => AskOneAsync(address, stopping)));
        return answers.Any(answered => answered);
    }

    // The first snapshot of a coordinator contains its identity; the call is authenticated with the shared key.
    private async Task<bool> AskOneAsync(string address, CancellationToken stopping)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        patience.CancelAfter(Patience);
        var asked = time.GetTimestamp();
        Status.CountSent();
        try
        {
            using var call = channels
                .Cluster(address)
                .Watch(new WatchRequest { Watcher = node.NodeId }, cancellationToken: patience.Token);
            if (!await call.ResponseStream.MoveNext(patience.Token))
                return false;
            Status.CountReceived();
            var snapshot = call.ResponseStream.Current;
            var itself = snapshot.Nodes.FirstOrDefault(member => member.NodeId == snapshot.NodeId);
            if (itself is null || local.Contains(snapshot.Cluster, snapshot.NodeId))
                return true;
            peers.See(
                new Sighting(
                    Road,
                    snapshot.NodeId,
                    snapshot.Cluster,
                    node.ApiKey is null ? PeerTrust.Open : PeerTrust.Trusted,
                    null
                )
                {
                    Role = itself.Role,
                    Url = itself.Url,
                    GrpcUrl = address,
                    Version = itself.Version,
                    Address = IPAddress.TryParse(new Uri(address).Host.Trim('[', ']'), out var ip) ? ip : null,
                    RttMs = time.GetElapsedTime(asked).TotalMilliseconds,
                }
            );
            return true;
        }
        catch (RpcException failure)
        {
            Status.Reject(failure.StatusCode == StatusCode.Unauthenticated ? "wrong key" : "no answer");
            return false;
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            Status.Reject("no answer");
            return false;
        }
    }

    public override void Dispose()
    {
        _alarm.Dispose();
        base.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The seed '{Seed}' cannot be looked up: {Reason}")]
    private partial void LogNoName(string seed, string reason);
}
