using Galaxy.Contracts.Election;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Membership;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;

namespace Galaxy.Coordinator.Failover;

/// <summary>The result of a hand-over.</summary>
/// <param name="To">Null: no node was ready; <paramref name="Problem"/> says why.</param>
internal sealed record HandoverResult(string? To, string? Problem);

/// <summary>
/// Gives leadership to a chosen node that is ready: it is asked first, fetches what it lacks and warms up; only then is
/// the lease released to it. Requests are served until then.
/// </summary>
internal sealed partial class Handover(
    Elector elector,
    Membership membership,
    GossipLoop loop,
    Candidacy candidacy,
    HealthChecks checks,
    FailoverStore store,
    FencedStores stores,
    CoordinatorChannels channels,
    Identity identity,
    NodeOptions node,
    TimeProvider time,
    ILogger<Handover> log
) : IDisposable
{
    private static readonly TimeSpan PreparePatience = TimeSpan.FromMilliseconds(800);
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>The live coordinators other than this one, those first that would lead next.</summary>
    public IReadOnlyList<string> Successors => [.. candidacy.Order().Where(id => id != node.NodeId)];

    /// <param name="target">Null: the first in rank that is ready.</param>
    /// <param name="reason"><c>manual</c> or <c>resigned</c>.</param>
    public async Task<HandoverResult> RunAsync(string? target, string reason, CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            if (elector.CurrentToken is not { } token)
                return new HandoverResult(null, "This node does not lead any more.");
            var problems = new List<string>();
            foreach (var successor in target is null ? Successors.Take(store.Settings.MaxFailoverAttempts) : [target])
            {
                if (await PrepareOtherAsync(successor, token, cancellation) is { } complaint)
                {
                    problems.Add($"{successor}: {complaint}");
                    continue;
                }
                LogHandingOver(successor, reason);
                return await elector.ResignAsync(successor, reason, ReleasePatience, cancellation)
                    ? new HandoverResult(successor, null)
                    : new HandoverResult(null, "The lease could not be released in time; it will run out by itself.");
            }
            return new HandoverResult(
                null,
                problems.Count == 0
                    ? "There is no other live coordinator to hand leadership to."
                    : string.Join("; ", problems)
            );
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<string?> PrepareOtherAsync(string successor, long token, CancellationToken cancellation)
    {
        if (membership.Members.Find(successor) is not { State: MemberState.Alive } member)
            return "it is not alive";
        try
        {
            var reply = await channels
                .Election(member.GrpcUrl)
                .PrepareAsync(
                    new PrepareRequest
                    {
                        NodeId = node.NodeId,
                        Token = token,
                        GrpcUrl = identity.GrpcUrl,
                    },
                    // Of one that has just come back, the connection may still be waiting for its next attempt.
                    new CallOptions(
                        deadline: time.GetUtcNow().UtcDateTime + PreparePatience,
                        cancellationToken: cancellation
                    ).WithWaitForReady()
                );
            return reply.Ready ? null : reply.Reason;
        }
        catch (RpcException failure)
        {
            return failure.StatusCode switch
            {
                StatusCode.DeadlineExceeded => $"no answer within {PreparePatience.TotalMilliseconds:0} ms",
                StatusCode.Unavailable or StatusCode.Internal => "it does not answer",
                _ => failure.Status.Detail,
            };
        }
    }

    /// <summary>This node is about to be handed the lead: null when it is ready, otherwise why not.</summary>
    public async Task<string?> PrepareAsync(string leaderGrpcUrl, CancellationToken cancellation)
    {
        if (candidacy.Withdrawn)
            return "it is stopping";
        if (!checks.Healthy)
            return "its health checks fail";
        // Whatever the leader has that is missing here comes now.
        if (await loop.IntroduceAsync(leaderGrpcUrl, cancellation) is { } failure)
            return $"it cannot reach the leader: {failure.Message}";
        return await stores.AnswersAsync() ? null : "its store does not answer";
    }

    public void Dispose() => _one.Dispose();

    [LoggerMessage(Level = LogLevel.Information, Message = "Handing over to {Successor}: {Reason}")]
    private partial void LogHandingOver(string successor, string reason);
}
