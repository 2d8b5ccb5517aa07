using System.Diagnostics;
using Galaxy.Coordinator.Node;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Telemetry;

namespace Galaxy.Coordinator.Leadership;

/// <summary>
/// Remembers how a change of leader unfolds here: when and by what it was noticed, when the lease was gone, which node
/// took it. Thread-safe.
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
    private bool _answers;
    private FailoverAttempt? _won;

    /// <summary>The connection to the leader broke.</summary>
    public void LeaderHungUp(LeaseRecord leader)
    {
        lock (_gate)
        {
            if (_last?.Boot == leader.Boot)
                _noticedAt = time.GetUtcNow();
        }
    }

    /// <summary>A peer does not answer. Counts as a notice only when that peer leads.</summary>
    public void PeerFailed(string nodeId, PeerSilence silence, string evidence)
    {
        lock (_gate)
        {
            if (_last?.Holder != nodeId || _goneAt is not null)
                return;
            _noticedAt ??= time.GetUtcNow();
            _answers = false;
            _reason = silence switch
            {
                PeerSilence.Refused => "crash",
                PeerSilence.Hangs => "hang",
                _ => "partition",
            };
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
            {
                Forget();
                _answers = true;
            }
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

    /// <summary>The store's channel said that the lease was given up.</summary>
    public void LeaseOffered(LeaseRelease release)
    {
        lock (_gate)
        {
            // An echo that came after the next leader.
            if (_last?.Holder != release.From)
                return;
            NoteGone(release);
        }
    }

    /// <summary>The store has no lease.</summary>
    public void LeaseGone(LeaseRelease? release)
    {
        lock (_gate)
            NoteGone(release);
    }

    private void NoteGone(LeaseRelease? release)
    {
        _noticedAt ??= time.GetUtcNow();
        _goneAt ??= time.GetUtcNow();
        if (release is not null)
        {
            _reason = release.Reason;
            _evidence = $"{release.From} released the lease";
            _resignTrace = release.TraceParent;
        }
        else if (_reason is null && _answers && _last?.Boot != identity.Boot)
        {
            _reason = "store";
            _evidence = $"{_last?.Holder} is alive, and its lease is gone from the store";
        }
    }

    /// <param name="proof">What is known of a leader whose connection was lost.</param>
    public void LeaderChanged(LeaseRecord? leader, DeathProof? proof)
    {
        if (leader is null)
        {
            if (proof is { Stage: ProofStage.Proven })
                Proven(proof.Leader);
            return;
        }
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
            "follow new leader",
            ActivityKind.Internal,
            TraceParent.Parse(leader.TraceParent),
            startTime: noticed ?? time.GetUtcNow()
        );
        activity?.SetTag("galaxy.leader", leader.Holder);
        activity?.SetTag("galaxy.token", leader.Token);
    }

    private void Proven(LeaseRecord leader)
    {
        lock (_gate)
        {
            _goneAt = time.GetUtcNow();
            _reason = "crash";
            _evidence = $"{leader.Holder} hung up, and a new call found its process gone";
        }
    }

    /// <summary>Starts the failover's trace in the current flow.</summary>
    /// <param name="candidates">The candidates, in order.</param>
    public FailoverAttempt Stand(IReadOnlyList<string> candidates)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var noticed = _noticedAt ?? now;
            var reason = _last is null ? "first" : _reason ?? "expired";
            var evidence =
                _evidence.Length > 0 ? _evidence
                : _last is null ? "no leader was known"
                : "the lease ran out";
            return new FailoverAttempt(
                this,
                time,
                _last,
                noticed,
                _goneAt ?? now,
                reason,
                evidence,
                _resignTrace,
                candidates
            );
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
        _answers = false;
    }
}
