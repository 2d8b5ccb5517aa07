using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Election;
using Galaxy.Core.Membership;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Failover;

/// <summary>A request that cannot be done; the message names the field and what is allowed.</summary>
internal sealed class FailoverRequestException(string message, int status) : Exception(message)
{
    public int Status { get; } = status;
}

/// <summary>
/// The report's FailoverManager: primary, secondaries, health checkers, failover and status. Its settings replicate, so
/// any coordinator takes a change.
/// </summary>
internal sealed class FailoverManager(
    FailoverStore store,
    Candidacy candidacy,
    HealthChecks checks,
    Handover handover,
    Elector elector,
    ClusterFeed feed,
    Membership membership,
    PeerBreakers breakers,
    FencedStores stores,
    NodeOptions node,
    TimeProvider time
)
{
    private static readonly TimeSpan LeaderPatience = TimeSpan.FromSeconds(5);

    public FailoverStatus Status() =>
        new(
            node.NodeId,
            feed.Response().Leader,
            node.FailoverMode == FailoverMode.MultiMaster ? "multi-master" : "active-passive",
            store.Settings,
            candidacy.Order(),
            store.Failed,
            candidacy.Demoted,
            checks.Statuses,
            breakers.States,
            stores.Behind
        );

    public FailoverStatus SetPrimary(string? nodeId)
    {
        var primary = Valid(nodeId);
        var settings = store.Settings;
        // The one that was primary stays the next best.
        IEnumerable<string> secondaries = settings.Secondaries.Where(id => id != primary);
        if (settings.Primary is { } before && before != primary)
            secondaries = secondaries.Where(id => id != before).Prepend(before);
        return Set(
            settings with
            {
                Primary = primary,
                Secondaries = [.. secondaries],
                Drained = [.. settings.Drained.Where(id => id != primary)],
            }
        );
    }

    /// <summary>
    /// Sets the primary and the secondaries in order, all at once; nodes that are not named rank after them.
    /// </summary>
    public FailoverStatus SetOrder(IReadOnlyList<string>? order)
    {
        if (order is not { Count: > 0 and <= FailoverLimits.MaxSecondaries })
            throw new FailoverRequestException(
                $"'order' must name 1 to {FailoverLimits.MaxSecondaries} coordinators.",
                400
            );
        if (order.Distinct(StringComparer.Ordinal).Count() != order.Count)
            throw new FailoverRequestException("'order' names a node twice.", 400);
        foreach (var nodeId in order)
            Valid(nodeId, "order");
        return Set(store.Settings with { Primary = order[0], Secondaries = [.. order.Skip(1)] });
    }

    /// <summary>
    /// Drains a node: it does not campaign for leadership, and hands leadership over if it leads, which is awaited for
    /// a while.
    /// </summary>
    /// <returns>The status, and whether the node leads still, since no other one was ready in time.</returns>
    public async Task<(FailoverStatus Status, bool LeadsStill)> DrainAsync(
        string nodeId,
        CancellationToken cancellation
    )
    {
        Drain(nodeId);
        var next = await LeaderAsync(leader => leader.Holder != nodeId, cancellation);
        return (Status(), next is null);
    }

    private FailoverStatus Drain(string nodeId)
    {
        Valid(nodeId, "id");
        var settings = store.Settings;
        if (settings.Drained.Contains(nodeId))
            return Status();
        if (candidacy.Order().All(id => id == nodeId))
            throw new FailoverRequestException(
                $"'{nodeId}' is the only coordinator that could lead. Start another one first.",
                409
            );
        return Set(settings with { Drained = [.. settings.Drained, nodeId] });
    }

    public FailoverStatus Undrain(string nodeId)
    {
        var settings = store.Settings;
        if (!settings.Drained.Contains(nodeId))
            throw new FailoverRequestException($"'{nodeId}' is not drained. Drained: {Text(settings.Drained)}.", 404);
        return Set(settings with { Drained = [.. settings.Drained.Where(id => id != nodeId)] });
    }

    public FailoverStatus AddSecondary(string? nodeId)
    {
        var secondary = Valid(nodeId);
        var settings = store.Settings;
        if (settings.Primary == secondary)
            throw new FailoverRequestException(
                $"'node_id' is '{secondary}', which is the primary. Make another node primary first.",
                409
            );
        if (settings.Secondaries.Count >= FailoverLimits.MaxSecondaries)
            throw new FailoverRequestException(
                $"There are {FailoverLimits.MaxSecondaries} secondaries already; remove one first.",
                409
            );
        return settings.Secondaries.Contains(secondary)
            ? Status()
            : Set(settings with { Secondaries = [.. settings.Secondaries, secondary] });
    }

    public FailoverStatus RemoveSecondary(string nodeId)
    {
        var settings = store.Settings;
        if (!settings.Secondaries.Contains(nodeId))
            throw new FailoverRequestException(
                $"'{nodeId}' is no secondary. Secondaries: {Text(settings.Secondaries)}.",
                404
            );
        return Set(settings with { Secondaries = [.. settings.Secondaries.Where(id => id != nodeId)] });
    }

    /// <summary>Changes the switches and times; what is null stays.</summary>
    public FailoverStatus Change(FailoverSettingsChange change)
    {
        var settings = store.Settings;
        var next = settings with
        {
            EnableAutoRecovery = change.EnableAutoRecovery ?? settings.EnableAutoRecovery,
            AutoFailback = change.AutoFailback ?? settings.AutoFailback,
            RecoveryTimeoutSeconds = change.RecoveryTimeoutSeconds ?? settings.RecoveryTimeoutSeconds,
            MaxFailoverAttempts = change.MaxFailoverAttempts ?? settings.MaxFailoverAttempts,
            HealthCheckIntervalSeconds = change.HealthCheckIntervalSeconds ?? settings.HealthCheckIntervalSeconds,
        };
        return FailoverLimits.Complaint(next) is { } complaint
            ? throw new FailoverRequestException(complaint, 400)
            : Set(next);
    }

    public FailoverStatus RegisterHealthChecker(HealthCheckerSettings checker)
    {
        if (HealthChecks.Complaint(checker) is { } complaint)
            throw new FailoverRequestException(complaint, 400);
        if (checker.NodeId is { } on)
            Valid(on);
        var settings = store.Settings;
        var others = settings.Checkers.Where(other => other.Name != checker.Name).ToList();
        if (others.Count >= FailoverLimits.MaxCheckers)
            throw new FailoverRequestException(
                $"There are {FailoverLimits.MaxCheckers} checkers already; remove one first.",
                409
            );
        return Set(settings with { Checkers = [.. others, checker] });
    }

    public FailoverStatus RemoveHealthChecker(string name)
    {
        var settings = store.Settings;
        if (settings.Checkers.All(checker => checker.Name != name))
            throw new FailoverRequestException(
                $"There is no health checker '{name}'. Registered: "
                    + $"{Text(settings.Checkers.Select(checker => checker.Name))}.",
                404
            );
        return Set(settings with { Checkers = [.. settings.Checkers.Where(checker => checker.Name != name)] });
    }

    /// <summary>Hands leadership over. Only the leader can.</summary>
    /// <param name="to">Null: the first in rank that is ready.</param>
    public async Task<(string From, string To)> FailoverAsync(string? to, CancellationToken cancellation)
    {
        if (elector.CurrentToken is null)
            throw new NotLeaderException();
        if (
            to is not null
            && to != node.NodeId
            && store.Settings.Drained.Contains(to)
            && !handover.Successors.Contains(to)
        )
            throw new FailoverRequestException(
                $"'to' is '{to}', which is drained. Let it in again first (galaxy drain {to} --undo).",
                409
            );
        if (to is not null && !handover.Successors.Contains(to))
            throw new FailoverRequestException(
                $"'to' is '{to}', which is no other live coordinator. Live: {Text(handover.Successors)}.",
                400
            );
        if (handover.Successors.Count == 0)
            throw new FailoverRequestException("There is no other live coordinator to hand leadership to.", 409);
        var token = elector.MaxToken;
        var result = await handover.RunAsync(to, "manual", cancellation);
        if (result.To is not { } successor)
            throw new FailoverRequestException(result.Problem ?? "Nobody was ready.", 503);
        // The successor was ready, and may have died since the lease was released to it.
        var leader = await LeaderAsync(next => next.Token > token, cancellation);
        if (leader is null)
            throw new FailoverRequestException(
                $"Leadership was handed to '{successor}', and after {LeaderPatience.TotalSeconds:0} s "
                    + "nobody leads. See 'galaxy status'.",
                503
            );
        return to is null || leader == to
            ? (node.NodeId, leader)
            : throw new FailoverRequestException($"'{to}' was ready and did not take over; '{leader}' leads now.", 503);
    }

    /// <summary>
    /// Hands leadership over to a node and makes it the primary. When it does not take over, the order stays as it was.
    /// </summary>
    public async Task<(string From, string To)> PromoteAsync(string? nodeId, CancellationToken cancellation)
    {
        var primary = Valid(nodeId);
        if (elector.CurrentToken is null)
            throw new NotLeaderException();
        var drained = store.Settings.Drained.Contains(primary);
        if (drained)
            Undrain(primary);
        try
        {
            var done = primary == node.NodeId ? (primary, primary) : await FailoverAsync(primary, cancellation);
            SetPrimary(primary);
            return done;
        }
        catch when (drained)
        {
            Drain(primary);
            throw;
        }
    }

    // The leader, as soon as there is one like that; null: there is none in time.
    private async Task<string?> LeaderAsync(Func<LeaseRecord, bool> isAwaited, CancellationToken cancellation)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(LeaseRecord? leader)
        {
            if (leader is not null && isAwaited(leader))
                found.TrySetResult(leader.Holder);
        }
        elector.LeaderChanged += Look;
        try
        {
            Look(elector.Leader);
            return await found.Task.WaitAsync(LeaderPatience, time, cancellation);
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            elector.LeaderChanged -= Look;
        }
    }

    private FailoverStatus Set(FailoverSettings settings)
    {
        store.Set(settings);
        return Status();
    }

    private string Valid(string? nodeId, string field = "node_id")
    {
        var known = membership
            .Members.All.Where(member => member.State != MemberState.Left)
            .Select(member => member.NodeId)
            .ToList();
        return nodeId is { Length: > 0 } && known.Contains(nodeId)
            ? nodeId
            : throw new FailoverRequestException(
                $"'{field}' is '{nodeId}', which is no coordinator of this cluster. Known: {Text(known)}.",
                400
            );
    }

    private static string Text(IEnumerable<string> names) =>
        string.Join(", ", names) is { Length: > 0 } text ? text : "none";
}
