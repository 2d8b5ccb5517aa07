using System.Diagnostics;
using Galaxy.Coordinator.Election;
using Galaxy.Contracts.Api;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Telemetry;

namespace Galaxy.Coordinator.Failover;

/// <summary>
/// Remembers how a change of leader unfolds here: when and by what it was noticed, when the lease was gone, who took it.
/// Thread-safe.
/// </summary>
internal sealed class FailoverTracker(NodeOptions node, Identity identity, TimeProvider time)
{
    private readonly Lock _gate = new();
    private LeaseRecord? _last;
    private DateTimeOffset? _noticedAt;
    private DateTimeOffset? _goneAt;
    private string? _reason;
    private string _evidence = "";
    private string _resignTrace = "";
    private FailoverAttempt? _won;

    /// <summary>A peer does not answer. Counts as a notice only when that peer leads.</summary>
    public void PeerFailed(string nodeId, bool refused, string evidence)
    {
        lock (_gate)
        {
            if (_last?.Holder != nodeId || _reason is not null)
                return;
            _noticedAt ??= time.GetUtcNow();
            _reason = refused ? "crash" : null;
            _evidence = evidence;
        }
    }

    /// <summary>A peer answered: if it is the very process that leads, whatever was thought of it was wrong.</summary>
    public void PeerAnswered(string nodeId, string boot)
    {
        lock (_gate)
        {
            if (_last?.Holder != nodeId)
                return;
            if (_last.Boot != boot)
                ProcessReplaced();
            else if (_goneAt is null)
                Forget();
        }
    }

    // Two processes do not share a name and an address: the one that held the lease has ended.
    private void ProcessReplaced()
    {
        _noticedAt ??= time.GetUtcNow();
        if (_reason is not null)
            return;
        _reason = "crash";
        _evidence = $"{_last!.Holder} runs as a new process";
    }

    /// <summary>The store has no lease.</summary>
    public void LeaseGone(LeaseRelease? release)
    {
        lock (_gate)
        {
            _noticedAt ??= time.GetUtcNow();
            _goneAt ??= time.GetUtcNow();
            if (release is null)
                return;
            _reason = release.Reason;
            _evidence = $"{release.From} released the lease";
            _resignTrace = release.TraceParent;
        }
    }

    public void LeaderChanged(LeaseRecord? leader)
    {
        if (leader is null)
            return;
        DateTimeOffset? noticed;
        lock (_gate)
        {
            var known = _last?.Token == leader.Token;
            _last = leader;
            noticed = _noticedAt;
            if (known)
                return;
            Forget();
            if (leader.Holder == node.NodeId && leader.Boot != identity.Boot)
                ProcessReplaced();
        }
        if (leader.Holder == node.NodeId || leader.TraceParent.Length == 0)
            return;
        // This process's part of the failover's trace.
        using var activity = GalaxyTrace.Source.StartActivity(
            "follow new leader", ActivityKind.Internal, TraceParent.Parse(leader.TraceParent), startTime: noticed ?? time.GetUtcNow());
        activity?.SetTag("galaxy.leader", leader.Holder);
        activity?.SetTag("galaxy.token", leader.Token);
    }

    /// <summary>Starts the failover's trace in the current flow.</summary>
    public FailoverAttempt Stand()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var noticed = _noticedAt ?? now;
            var reason = _last is null ? "first" : _reason ?? "expired";
            var evidence = _evidence.Length > 0 ? _evidence : _last is null ? "no leader was known" : "the lease ran out";
            return new FailoverAttempt(this, time, _last, noticed, _goneAt ?? now, reason, evidence, _resignTrace);
        }
    }

    /// <summary>The attempt that made this node the leader; null once taken.</summary>
    public FailoverAttempt? TakeWon() => Interlocked.Exchange(ref _won, null);

    internal void Win(FailoverAttempt attempt) => Interlocked.Exchange(ref _won, attempt);

    private void Forget()
    {
        _noticedAt = null;
        _goneAt = null;
        _reason = null;
        _evidence = "";
        _resignTrace = "";
    }
}

/// <summary>One candidate's try for the lease; becomes the failover's record when it wins.</summary>
internal sealed class FailoverAttempt : IDisposable
{
    private readonly FailoverTracker _tracker;
    private readonly TimeProvider _time;
    private readonly LeaseRecord? _old;
    private readonly DateTimeOffset _noticedAt;
    private readonly string _reason;
    private readonly string _evidence;
    private readonly List<FailoverStep> _steps = [];
    private readonly Activity? _root;
    private DateTimeOffset _stepStart;
    private LeaseRecord? _new;

    internal FailoverAttempt(
        FailoverTracker tracker, TimeProvider time, LeaseRecord? old, DateTimeOffset noticedAt, DateTimeOffset goneAt, string reason, string evidence, string parent)
    {
        (_tracker, _time, _old, _noticedAt, _reason, _evidence) = (tracker, time, old, noticedAt, reason, evidence);
        _root = GalaxyTrace.Source.StartActivity("galaxy.failover", ActivityKind.Internal, ServiceDefaults.Telemetry.TraceParent.Parse(parent), startTime: noticedAt);
        _root?.SetTag("galaxy.failover.reason", reason);
        _root?.SetTag("galaxy.failover.evidence", evidence);
        _root?.SetTag("galaxy.failover.from", old?.Holder);
        _stepStart = noticedAt;
        Step("detect", goneAt);
        Step("check standbys", time.GetUtcNow());
    }

    /// <summary>Goes into the lease record, so that every process joins this trace.</summary>
    public string TraceParent => ServiceDefaults.Telemetry.TraceParent.Of(_root);

    public ActivityContext Context => _root?.Context ?? default;

    /// <summary>The store gave the lease.</summary>
    public void Won(LeaseRecord lease)
    {
        _new = lease;
        Step("acquire", _time.GetUtcNow());
        _tracker.Win(this);
    }

    /// <summary>Ends the step that began with the previous one's end.</summary>
    public void Step(string name) => Step(name, _time.GetUtcNow());

    private void Step(string name, DateTimeOffset end)
    {
        _steps.Add(new FailoverStep(name, (_stepStart - _noticedAt).TotalMilliseconds, (end - _stepStart).TotalMilliseconds));
        _stepStart = end;
    }

    // Only now: the steps of a lost attempt would be a trace without a root.
    private void ExportSteps()
    {
        foreach (var step in _steps)
        {
            var start = _noticedAt.AddMilliseconds(step.OffsetMs);
            using var activity = GalaxyTrace.Source.StartActivity(step.Name, ActivityKind.Internal, Context, startTime: start);
            activity?.SetEndTime(start.AddMilliseconds(step.DurationMs).UtcDateTime);
        }
    }

    /// <summary>Ends the trace; the record of what happened.</summary>
    public FailoverRecord Complete()
    {
        var lease = _new ?? throw new InvalidOperationException("An attempt that did not win has no record.");
        var now = _time.GetUtcNow();
        _root?.SetTag("galaxy.failover.to", lease.Holder);
        _root?.SetTag("galaxy.token", lease.Token);
        ExportSteps();
        _root?.SetEndTime(now.UtcDateTime);
        _root?.Stop();
        var duration = (now - _noticedAt).TotalMilliseconds;
        GalaxyTrace.FailoverDuration.Record(duration);
        return new FailoverRecord(
            $"fo-{lease.Token}", _root?.TraceId.ToString() ?? "", _old?.Holder, lease.Holder, _reason, _evidence,
            _old?.Token ?? 0, lease.Token, _noticedAt, now, duration, [.. _steps]);
    }

    /// <summary>Leaves the trace context; a lost attempt is never exported.</summary>
    public void Dispose()
    {
        if (Activity.Current == _root)
            Activity.Current = null;
    }
}
