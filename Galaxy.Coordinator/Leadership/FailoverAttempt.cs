using System.Diagnostics;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Node;
using Galaxy.Core.Election;

namespace Galaxy.Coordinator.Leadership;

/// <summary>One candidate's try for the lease; becomes the failover's record when it wins.</summary>
internal sealed class FailoverAttempt : IDisposable
{
    private readonly FailoverTracker _tracker;
    private readonly TimeProvider _time;
    private readonly LeaseRecord? _old;
    private readonly DateTimeOffset _noticedAt;
    private readonly string _reason;
    private readonly string _evidence;
    private readonly IReadOnlyList<string> _candidates;
    private readonly List<FailoverStep> _steps = [];
    private readonly Activity? _root;
    private DateTimeOffset _stepStart;
    private LeaseRecord? _new;

    internal FailoverAttempt(
        FailoverTracker tracker,
        TimeProvider time,
        LeaseRecord? old,
        DateTimeOffset noticedAt,
        DateTimeOffset goneAt,
        string reason,
        string evidence,
        string parent,
        IReadOnlyList<string> candidates
    )
    {
        (_tracker, _time, _old, _noticedAt, _reason, _evidence, _candidates) = (
            tracker,
            time,
            old,
            noticedAt,
            reason,
            evidence,
            candidates
        );
        _root = GalaxyTrace.Source.StartActivity(
            "galaxy.failover",
            ActivityKind.Internal,
            ServiceDefaults.Telemetry.TraceParent.Parse(parent),
            startTime: noticedAt
        );
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
    public void Won(LeaseRecord lease, bool seized)
    {
        _new = lease;
        _root?.SetTag("galaxy.failover.seized", seized);
        Step("acquire", _time.GetUtcNow());
        _tracker.Win(this);
    }

    /// <summary>Ends the step that began with the previous one's end.</summary>
    public void Step(string name) => Step(name, _time.GetUtcNow());

    private void Step(string name, DateTimeOffset end)
    {
        _steps.Add(
            new FailoverStep(name, (_stepStart - _noticedAt).TotalMilliseconds, (end - _stepStart).TotalMilliseconds)
        );
        _stepStart = end;
    }

    // Only now: the steps of a lost attempt would be a trace without a root.
    private void ExportSteps()
    {
        var checkedAt = _steps.Find(step => step.Name == "check standbys") is { } check
            ? _noticedAt.AddMilliseconds(check.OffsetMs)
            : _noticedAt;
        foreach (var (place, candidate) in _candidates.Index())
        {
            using var activity = GalaxyTrace.Source.StartActivity(
                "check standby",
                ActivityKind.Internal,
                Context,
                startTime: checkedAt
            );
            activity?.SetTag("galaxy.candidate", candidate);
            activity?.SetTag("galaxy.candidate.rank", place);
            activity?.SetEndTime(checkedAt.UtcDateTime);
        }
        foreach (var step in _steps)
        {
            var start = _noticedAt.AddMilliseconds(step.OffsetMs);
            using var activity = GalaxyTrace.Source.StartActivity(
                step.Name,
                ActivityKind.Internal,
                Context,
                startTime: start
            );
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
        GalaxyTrace.FailoverTook(duration);
        return new FailoverRecord(
            $"fo-{lease.Token}",
            _root?.TraceId.ToString() ?? "",
            _old?.Holder,
            lease.Holder,
            _reason,
            _evidence,
            _old?.Token ?? 0,
            lease.Token,
            _noticedAt,
            now,
            duration,
            [.. _steps]
        );
    }

    /// <summary>Leaves the trace context; a lost attempt is never exported.</summary>
    public void Dispose()
    {
        if (Activity.Current == _root)
            Activity.Current = null;
    }
}
