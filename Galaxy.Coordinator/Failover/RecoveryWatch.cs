using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.Failover;
using Galaxy.Core.Membership;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Failover;

/// <summary>
/// While this node leads: takes failed nodes back when they have recovered, and hands over when it is unwell itself.
/// </summary>
internal sealed partial class RecoveryWatch(
    FailoverStore store,
    Membership membership,
    Elector elector,
    Handover handover,
    HealthChecks checks,
    NodeOptions node,
    TimeProvider time,
    ILogger<RecoveryWatch> log
) : PeriodicService(Every, time, log)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    protected override async Task TurnAsync(CancellationToken stopping)
    {
        if (elector.CurrentToken is null)
            return;
        if (!checks.Healthy)
            await HandOverAsync(null, "its health checks fail", stopping);
        else if (store.Settings.Drained.Contains(node.NodeId) && handover.Successors.Count > 0)
            await HandOverAsync(null, "it is drained", stopping);
        else
            await RecoverAsync(stopping);
    }

    private async Task RecoverAsync(CancellationToken stopping)
    {
        var settings = store.Settings;
        var failed = store.Failed.Select(failure => new FailedNodeView(failure.NodeId, AliveFor(failure.NodeId)));
        foreach (
            var act in RecoveryPlan.Next(
                failed,
                node.NodeId,
                settings.Primary,
                settings.EnableAutoRecovery,
                settings.AutoFailback,
                TimeSpan.FromSeconds(settings.RecoveryTimeoutSeconds),
                InSteadOf(settings)
            )
        )
        {
            store.MarkRecovered(act.NodeId);
            if (act is RecoveryAct.FailBack)
            {
                await HandOverAsync(act.NodeId, "the primary is well again", stopping);
                return;
            }
            settings = settings with
            {
                Primary = settings.Primary == act.NodeId ? node.NodeId : settings.Primary,
                Secondaries = [.. settings.Secondaries.Where(id => id != act.NodeId && id != node.NodeId), act.NodeId],
            };
            store.Set(settings);
            LogRejoined(act.NodeId);
        }
    }

    // A standby leads in place of another coordinator, unless the standby is configured as the primary.
    private IEnumerable<FailedNodeView>? InSteadOf(FailoverSettings settings) =>
        node.Role != NodeRole.Standby || settings.Primary == node.NodeId
            ? null
            : membership
                .Members.All.Where(member =>
                    member.Role == "coordinator"
                    && !settings.Drained.Contains(member.NodeId)
                    && handover.Successors.Contains(member.NodeId)
                )
                .OrderByDescending(member => member.NodeId == settings.Primary)
                .ThenBy(member => member.NodeId, StringComparer.Ordinal)
                .Select(member => new FailedNodeView(member.NodeId, AliveFor(member.NodeId)));

    private TimeSpan? AliveFor(string nodeId) =>
        membership.Members.Members.GetValueOrDefault(nodeId) is { Member.State: MemberState.Alive } tracked
            ? membership.Now - tracked.Since
            : null;

    private async Task HandOverAsync(string? to, string why, CancellationToken stopping)
    {
        LogHandingOver(why);
        var result = await handover.RunAsync(to, "resigned", stopping);
        if (result.Problem is { } problem)
            LogKept(problem);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{NodeId} has recovered and is the last secondary now")]
    private partial void LogRejoined(string nodeId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Handing over: {Why}")]
    private partial void LogHandingOver(string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Leadership stays here: {Problem}")]
    private partial void LogKept(string problem);
}
