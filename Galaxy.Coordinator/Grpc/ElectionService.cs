using Galaxy.Contracts.Election;
using Galaxy.Coordinator.Failover;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Node;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;
using Wire = Galaxy.Contracts.Election;

namespace Galaxy.Coordinator.Grpc;

/// <summary>What coordinators ask each other about the leader.</summary>
internal sealed class ElectionService(
    LeaderProbe probe,
    Handover handover,
    Identity identity,
    NodeOptions node,
    IHostApplicationLifetime lifetime
) : Wire.Election.ElectionBase
{
    public override async Task Hold(
        HoldRequest request,
        IServerStreamWriter<HoldReply> responseStream,
        ServerCallContext context
    )
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken,
            lifetime.ApplicationStopping
        );
        await responseStream.WriteAsync(new HoldReply { Boot = identity.Boot });
        await Task.Delay(Timeout.InfiniteTimeSpan, ends.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public override Task<WhoReply> Who(WhoRequest request, ServerCallContext context) =>
        Task.FromResult(new WhoReply { NodeId = node.NodeId, Boot = identity.Boot });

    public override async Task<WitnessReply> Witness(WitnessRequest request, ServerCallContext context)
    {
        var outcome = await probe.CallAsync(request.GrpcUrl, request.Boot);
        return new WitnessReply
        {
            Gone = outcome == RedialOutcome.Gone,
            Outcome = outcome.ToString().ToLowerInvariant(),
        };
    }

    public override async Task<PrepareReply> Prepare(PrepareRequest request, ServerCallContext context)
    {
        var complaint = await handover.PrepareAsync(request.GrpcUrl, context.CancellationToken);
        return new PrepareReply { Ready = complaint is null, Reason = complaint ?? "" };
    }
}
