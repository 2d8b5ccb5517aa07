using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.Election;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;
using Wire = Galaxy.Contracts.Gossip;

namespace Galaxy.Coordinator.Gossip;

/// <summary>
/// One push-pull round with a peer: membership both ways, and the state that is missing here. Thread-safe.
/// </summary>
internal sealed partial class PeerExchange(
    Membership membership,
    ReplicatedState replica,
    CoordinatorChannels channels,
    Elector elector,
    PeerTraffic traffic,
    NodeOptions node,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<PeerExchange> log
)
{
    private const int NameTaken = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan EverythingPatience = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private Task _everything = Task.CompletedTask;

    /// <summary>Null when the peer answered; otherwise why not.</summary>
    /// <param name="wait">Return only when this node has caught up, even if that takes everything.</param>
    public async Task<Exception?> WithAsync(string address, bool wait, CancellationToken stopping)
    {
        try
        {
            var members = membership.Members;
            var (summary, digest) = replica.Position;
            var request = new Wire.ExchangeRequest
            {
                Cluster = node.Cluster,
                From = members.SelfMember.ToWire(),
                Lease = elector.Leader.ToWire(),
                MaxToken = elector.MaxToken,
                Origin = replica.Origin,
                Digest = digest,
            };
            request.Members.AddRange(members.Claims.Select(claim => claim.ToWire()));
            request.Summary.AddRange(summary.Dots.Select(dot => dot.ToWire()));
            var sentAt = time.GetUtcNow();
            var reply = await channels
                .Gossip(address)
                .ExchangeAsync(request, deadline: sentAt.UtcDateTime + Patience, cancellationToken: stopping);
            Count(request, reply, sentAt);
            elector.Post(new ElectionInput.TokenSeen(reply.MaxToken));
            membership.Merge(reply.Members.Append(reply.From).ToClaims());
            if (!reply.Incomplete)
                replica.Apply(
                    new Delta(
                        [.. reply.Delta.Select(entry => entry.FromWire()).OfType<StateEntry>()],
                        reply.Summary.ToVector(),
                        reply.Pruned.ToVector()
                    )
                );
            else if (EverythingFrom(address, stopping) is var everything && wait)
                await everything;
            return null;
        }
        catch (RpcException failure)
        {
            if (failure.StatusCode is StatusCode.Unauthenticated or StatusCode.FailedPrecondition)
                LogRefused(address, failure.Status.Detail);
            if (failure.StatusCode == StatusCode.AlreadyExists)
                StopAsNamesake(failure.Status.Detail);
            return failure;
        }
        catch (OperationCanceledException stopped)
        {
            return stopped;
        }
    }

    /// <summary>This node's name is taken: it says so and stops.</summary>
    public void StopAsNamesake(string why)
    {
        LogNameTaken(why, node.NodeId);
        Environment.ExitCode = NameTaken;
        lifetime.StopApplication();
    }

    private void Count(Wire.ExchangeRequest request, Wire.ExchangeReply reply, DateTimeOffset sentAt)
    {
        if (reply.From is not { } peer)
            return;
        var cost = traffic.Of(peer.NodeId);
        cost.Add(request.CalculateSize(), reply.CalculateSize());
        cost.Asked(sentAt);
        cost.Answered(time.GetUtcNow(), reply.ClockUnixMs);
    }

    // At most one full transfer runs at a time, for all callers: each of them needs the same complete state.
    private Task EverythingFrom(string address, CancellationToken stopping)
    {
        lock (_gate)
            return _everything.IsCompleted ? _everything = FetchEverythingAsync(address, stopping) : _everything;
    }

    // This node is new, was away for long, or came back from an old snapshot.
    private async Task FetchEverythingAsync(string address, CancellationToken stopping)
    {
        try
        {
            var deadline = time.GetUtcNow().UtcDateTime + EverythingPatience;
            using var call = channels
                .Gossip(address)
                .Everything(
                    new Wire.EverythingRequest { Cluster = node.Cluster, From = node.NodeId },
                    deadline: deadline,
                    cancellationToken: stopping
                );
            var entries = new List<StateEntry>();
            await foreach (var part in call.ResponseStream.ReadAllAsync(stopping))
            {
                entries.AddRange(part.Entries.Select(entry => entry.FromWire()).OfType<StateEntry>());
                if (part.Last)
                    replica.Replace(entries, part.Summary.ToVector(), part.Pruned.ToVector());
            }
        }
        catch (Exception failure)
            when (failure is RpcException or OperationCanceledException or IOException or HttpRequestException)
        {
            // The next exchange asks again.
            LogNotEverything(address, failure.Message);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "{Why}. Give this node another Galaxy_NODE_ID than '{NodeId}'. Stopping."
    )]
    private partial void LogNameTaken(string why, string nodeId);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Address} refuses gossip: {Reason}")]
    private partial void LogRefused(string address, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The whole state could not be fetched from {Address}: {Reason}")]
    private partial void LogNotEverything(string address, string reason);
}
