using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Failover;
using Galaxy.Coordinator.Http;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Storage;
using Grpc.Core;
using Wire = Galaxy.Contracts.Failovers;

namespace Galaxy.Coordinator.Grpc;

/// <summary>The same calls as <see cref="FailoverApi"/> over gRPC.</summary>
internal sealed class FailoverManagerService(FailoverManager manager, Elector elector)
    : Wire.FailoverManager.FailoverManagerBase
{
    public override Task<Wire.StatusReply> SetPrimary(Wire.NodeRequest request, ServerCallContext context) =>
        Task.FromResult(Do(() => manager.SetPrimary(request.NodeId)));

    public override Task<Wire.StatusReply> AddSecondary(Wire.NodeRequest request, ServerCallContext context) =>
        Task.FromResult(Do(() => manager.AddSecondary(request.NodeId)));

    public override Task<Wire.StatusReply> RemoveSecondary(Wire.NodeRequest request, ServerCallContext context) =>
        Task.FromResult(Do(() => manager.RemoveSecondary(request.NodeId)));

    public override Task<Wire.StatusReply> RemoveHealthChecker(
        Wire.HealthCheckerName request,
        ServerCallContext context
    ) => Task.FromResult(Do(() => manager.RemoveHealthChecker(request.Name)));

    public override Task<Wire.StatusReply> GetStatus(Wire.StatusRequest request, ServerCallContext context) =>
        Task.FromResult(Do(manager.Status));

    public override Task<Wire.StatusReply> RegisterHealthChecker(
        Wire.HealthChecker request,
        ServerCallContext context
    ) =>
        Task.FromResult(
            Do(() =>
                manager.RegisterHealthChecker(
                    new HealthCheckerSettings(
                        request.Name,
                        request.Kind,
                        request.Target,
                        request.NodeId.Length > 0 ? request.NodeId : null,
                        request.IntervalSeconds > 0 ? request.IntervalSeconds : null,
                        request.TimeoutSeconds > 0 ? request.TimeoutSeconds : 2,
                        request.Threshold > 0 ? request.Threshold : 3
                    )
                )
            )
        );

    public override async Task<Wire.FailoverReply> Failover(Wire.FailoverRequest request, ServerCallContext context)
    {
        try
        {
            var (from, to) = await manager.FailoverAsync(
                request.Target.Length > 0 ? request.Target : null,
                context.CancellationToken
            );
            return new Wire.FailoverReply { From = from, To = to };
        }
        catch (FailoverRequestException refused)
        {
            throw Refused(refused);
        }
        catch (NotLeaderException)
        {
            throw new RpcException(
                new Status(
                    StatusCode.FailedPrecondition,
                    elector.Leader is { } leader
                        ? $"the leader is {leader.Holder} at {leader.Url}"
                        : "there is no leader at the moment"
                )
            );
        }
    }

    private static Wire.StatusReply Do(Func<FailoverStatus> act)
    {
        try
        {
            return ToWire(act());
        }
        catch (FailoverRequestException refused)
        {
            throw Refused(refused);
        }
    }

    private static RpcException Refused(FailoverRequestException refused) =>
        new(
            new Status(
                refused.Status switch
                {
                    400 => StatusCode.InvalidArgument,
                    404 => StatusCode.NotFound,
                    409 => StatusCode.FailedPrecondition,
                    _ => StatusCode.Unavailable,
                },
                refused.Message
            )
        );

    private static Wire.StatusReply ToWire(FailoverStatus status)
    {
        var reply = new Wire.StatusReply
        {
            Leader = status.Leader?.NodeId ?? "",
            Token = status.Leader?.Token ?? 0,
            Primary = status.Settings.Primary ?? "",
        };
        reply.Secondaries.AddRange(status.Settings.Secondaries);
        reply.Order.AddRange(status.Order);
        reply.Failed.AddRange(
            status.Failed.Select(failed => new Wire.FailedNode
            {
                NodeId = failed.NodeId,
                Reason = failed.Reason,
                AtUnixMs = failed.At.ToUnixTimeMilliseconds(),
            })
        );
        reply.Checkers.AddRange(
            status.Settings.Checkers.Select(checker => new Wire.HealthChecker
            {
                Name = checker.Name,
                Kind = checker.Kind,
                Target = checker.Target,
                NodeId = checker.NodeId ?? "",
                IntervalSeconds = checker.IntervalSeconds ?? 0,
                TimeoutSeconds = checker.TimeoutSeconds,
                Threshold = checker.Threshold,
            })
        );
        return reply;
    }
}
