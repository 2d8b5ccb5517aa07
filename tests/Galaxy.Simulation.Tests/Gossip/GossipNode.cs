using Galaxy.Core.Clocks;
using Galaxy.Core.Gossip;
using Galaxy.Core.State;

namespace Galaxy.Simulation.Tests.Gossip;

/// <summary>A coordinator's state and gossip in the simulated world, with a disk that may lose its end.</summary>
internal sealed class GossipNode
{
    private readonly Random _random;
    private readonly GossipBug _bug;
    private readonly List<(StateEntry? Entry, VersionVector Pruned)> _log = [];
    private (List<StateEntry> Entries, VersionVector Summary, VersionVector Pruned, Hlc Clock) _snapshot = (
        [],
        VersionVector.Empty,
        VersionVector.Empty,
        default
    );
    private int _names;

    public GossipNode(string name, Random random, GossipBug bug)
    {
        (Name, _random, _bug) = (name, random, bug);
        Map = new ReplicatedMap(name + "~0");
        Mill = NewMill();
    }

    public string Name { get; }

    public ReplicatedMap Map { get; private set; }

    public RumorMill Mill { get; private set; }

    /// <summary>What peers last said they have seen, and the name that they write under.</summary>
    public Dictionary<string, (VersionVector Summary, string Origin)> Heard { get; } = [];

    public bool Up { get; set; } = true;

    /// <summary>What it had seen before it restarted, and others were told that it has seen.</summary>
    private VersionVector Promised { get; set; } = VersionVector.Empty;

    /// <summary>
    /// True from a restart until it has caught up: what others have dropped because it had seen it, it does not know
    /// now.
    /// </summary>
    public bool IsUninformed => !Map.Summary.Dominates(Promised);

    /// <summary>Milliseconds that this node's wall clock is wrong by.</summary>
    public long Skew { get; set; }

    public StateEntry? Write(EntryId id, StateWrite write, long wallMs)
    {
        if (Map.Write(id.Namespace, id.Key, write, wallMs + Skew) is not { } entry)
            return null;
        _log.Add((entry, VersionVector.Empty));
        Mill.Tell(id, 0, [], default);
        return entry;
    }

    public void TakeSnapshot()
    {
        _snapshot = ([.. Map.All], Map.Summary, Map.Pruned, Map.Clock);
        _log.Clear();
    }

    /// <summary>Starts again from the disk.</summary>
    /// <param name="lost">The last records that did not reach it: the machine lost power. 0: only the process
    /// died.</param>
    /// <param name="snapshotOnly">The log is lost, too: an old snapshot was put back.</param>
    public void Restart(int lost, bool snapshotOnly)
    {
        Promised = Promised.Merge(Map.Summary);
        var kept = snapshotOnly ? 0 : Math.Max(0, _log.Count - lost);
        var whole = kept == _log.Count;
        if (!whole && _bug != GossipBug.DotReusedAfterRestart)
            _names++;
        _log.RemoveRange(kept, _log.Count - kept);
        Map = new ReplicatedMap($"{Name}~{_names}");
        Map.Load(_snapshot.Entries, _snapshot.Summary, _snapshot.Pruned, _snapshot.Clock);
        var pruned = _snapshot.Pruned;
        foreach (var (entry, dropped) in _log)
        {
            pruned = pruned.Merge(dropped);
            if (entry is not null)
                Map.Apply(entry, pruned);
        }
        Map.Continue();
        Mill = NewMill();
        Heard.Clear();
        Up = true;
    }

    private RumorMill NewMill() =>
        new(
            _bug == GossipBug.HopLimitIgnored ? new RumorSettings { MaxHops = int.MaxValue } : new RumorSettings(),
            _random
        );

    public (List<StateEntry> Entries, VersionVector Pruned) Batch(IEnumerable<EntryId> ids) =>
        (
            [.. ids.Select(Map.Find).OfType<StateEntry>().Select(Sent)],
            _bug == GossipBug.PrunedNotSent ? VersionVector.Empty : Map.Pruned
        );

    private StateEntry Sent(StateEntry entry) =>
        _bug == GossipBug.ContextNotSent
            ? entry with
            {
                Context = entry.Versions.Aggregate(VersionVector.Empty, (vector, version) => vector.With(version.Dot)),
            }
            : entry;

    private bool Accepts(StateEntry entry) =>
        _bug != GossipBug.LastWriteByWallClock
        || Map.Find(new EntryId(entry.Namespace, entry.Key)) is not { } known
        || entry.Latest.Time.PhysicalMs >= known.Latest.Time.PhysicalMs;

    public void Receive(
        IReadOnlyList<string> knowing,
        int hops,
        List<StateEntry> entries,
        VersionVector pruned,
        long wallMs
    )
    {
        var reaches =
            _bug == GossipBug.RumorHidesGap
                ? entries
                    .SelectMany(entry => entry.Versions)
                    .Aggregate(VersionVector.Empty, (vector, version) => vector.With(version.Dot))
                : VersionVector.Empty;
        foreach (var entry in entries.Where(Accepts))
        {
            var id = new EntryId(entry.Namespace, entry.Key);
            if (Map.ApplyDelta([entry], reaches, pruned).Count > 0)
                Mill.Tell(id, _bug == GossipBug.HopLimitIgnored ? 0 : hops, knowing, default);
            else
                Mill.Knows(id, knowing);
        }
    }

    /// <summary>One exchange that this node begins: it says what it has seen and is given what it lacks.</summary>
    public void ExchangeWith(GossipNode peer, int maxBytes, long wallMs)
    {
        peer.Heard[Name] = (Map.Summary, Map.Origin);
        var delta = peer.Map.DeltaFor(Map.Summary, _bug == GossipBug.OldSnapshotGetsDelta ? int.MaxValue : maxBytes);
        if (
            delta is not var (entries, reaches)
            || (
                _bug != GossipBug.OldSnapshotGetsDelta
                && peer.Map.NeedsEverything(
                    Map.Summary,
                    _bug is GossipBug.DigestNotCompared or GossipBug.PrunedNotSent ? null : Map.Digest
                )
            )
        )
        {
            var news = Map.Replace([.. peer.Map.All], peer.Map.Summary, peer.Map.Pruned);
            foreach (var entry in news)
                Mill.Tell(new EntryId(entry.Namespace, entry.Key), 0, [peer.Name], default);
            return;
        }
        Map.ApplyDelta(
            [.. entries.Select(peer.Sent).Where(Accepts)],
            reaches,
            _bug == GossipBug.PrunedNotSent ? VersionVector.Empty : peer.Map.Pruned
        );
    }

    /// <summary>Drops what every member has seen, as a coordinator decides it.</summary>
    public void Compact(IReadOnlyList<GossipNode> members)
    {
        var here = Map.Summary;
        var stable = here;
        foreach (var member in members.Where(member => member != this))
        {
            if (_bug == GossipBug.TombstoneDroppedEarly)
                continue;
            if (!Heard.TryGetValue(member.Name, out var heard))
            {
                if (_bug == GossipBug.SilentMemberCountsAsSeen)
                    continue;
                return;
            }
            if (!here.Dominates(heard.Summary))
                return;
            stable = stable.Meet(heard.Summary);
        }
        _log.Add((null, stable));
        Map.Compact(stable);
    }
}
