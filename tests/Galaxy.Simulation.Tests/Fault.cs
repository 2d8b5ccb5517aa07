namespace Galaxy.Simulation.Tests;

internal enum FaultKind
{
    /// <summary>kill -9 of a node; it starts again after the duration.</summary>
    Crash,

    /// <summary>A node stands still (SIGSTOP, a long pause, a swapped machine).</summary>
    Pause,

    /// <summary>A node reaches neither stores nor nodes.</summary>
    Isolate,

    /// <summary>A node does not reach one store.</summary>
    CutStore,

    /// <summary>A node does not reach one other node.</summary>
    CutPeer,

    /// <summary>Connections to a node break though it lives.</summary>
    Reset,

    /// <summary>A node's own firewall refuses calls to one other node.</summary>
    Reject,

    /// <summary>A node is asked to hand over.</summary>
    HandOver,

    /// <summary>A node's wall clock is set.</summary>
    SetClock,

    /// <summary>A store's process ends and starts again with everything.</summary>
    StoreCrash,

    /// <summary>The same, and the last second is lost.</summary>
    StoreLosesASecond,

    /// <summary>
    /// The same, at the worst moment: right after it has given the lease out, which it then does not remember.
    /// </summary>
    StoreLosesItsNextGrant,

    /// <summary>The same, and all is lost.</summary>
    StoreRestartsEmpty,

    /// <summary>Every node's power fails, and the store comes back empty.</summary>
    PowerCut,

    /// <summary>FLUSHALL.</summary>
    Flush,

    /// <summary>
    /// FLUSHALL soon after the lease has gone to another node, while the old leader's last requests may be under way.
    /// </summary>
    FlushAfterNextGrant,

    /// <summary>All messages are slow and many are lost.</summary>
    BadNetwork,
}

/// <summary>Something that goes wrong.</summary>
/// <param name="Node">Which node, where it matters.</param>
/// <param name="Other">Which other node or store.</param>
internal sealed record Fault(TimeSpan At, FaultKind Kind, int Node, int Other, TimeSpan For)
{
    public override string ToString() =>
        $"{At.TotalSeconds, 7:0.000} s  {Kind} node {Node} other {Other} for {For.TotalSeconds:0.000} s";
}

/// <summary>One run: how many nodes and stores, and what goes wrong.</summary>
internal sealed record Plan(int Seed, int Nodes, int Stores, IReadOnlyList<Fault> Faults)
{
    /// <summary>Nothing is lost, all delays are 1 ms and all clocks agree: for stories.</summary>
    public bool Calm { get; init; }

    /// <summary>Trouble ends here.</summary>
    public static readonly TimeSpan Trouble = TimeSpan.FromSeconds(40);

    /// <summary>
    /// Whether at most one node may believe at a time that it leads. One store that forgets leaves only the fence; and
    /// of three stores only one at a time may forget.
    /// </summary>
    public bool BeliefIsExclusive => !Faults.Any(fault => Forgets(fault.Kind) && Stores == 1);

    /// <summary>Many messages to and from stores take seconds.</summary>
    public bool SlowStores { get; init; }

    private static bool Forgets(FaultKind kind) =>
        LosesASecond(kind)
        || kind
            is FaultKind.StoreRestartsEmpty
                or FaultKind.PowerCut
                or FaultKind.Flush
                or FaultKind.FlushAfterNextGrant;

    private static bool LosesASecond(FaultKind kind) =>
        kind is FaultKind.StoreLosesASecond or FaultKind.StoreLosesItsNextGrant;

    /// <summary>Neighbouring seeds of the library's generator begin alike; these do not.</summary>
    public static Random RandomOf(int seed)
    {
        var mixed = unchecked((uint)seed * 0x9E3779B9u);
        mixed = (mixed ^ (mixed >> 15)) * 0x85EBCA6Bu;
        return new Random((int)((mixed ^ (mixed >> 13)) & int.MaxValue));
    }

    public static Plan Random(int seed)
    {
        var random = RandomOf(seed);
        var slow = random.Next(4) == 0;
        var nodes = random.Next(3) switch
        {
            0 => 2,
            1 => 3,
            _ => 5,
        };
        var stores = random.Next(4) switch
        {
            0 or 1 => 1,
            2 => 3,
            _ => 5,
        };
        var (losesASecond, losesAll) = random.Next(4) switch
        {
            0 => (true, false),
            1 => (true, true),
            _ => (false, false),
        };
        var kinds = Enum.GetValues<FaultKind>()
            .Where(kind => !Forgets(kind) || (LosesASecond(kind) ? losesASecond : losesAll))
            // The only store forgets a token in the moment in which it was issued, and its holder is cut off from
            // everybody: then nobody is left who could know. See docs/protocols/election.md, assumption 5.
            .Where(kind =>
                !(losesAll && stores == 1 && (kind is FaultKind.CutPeer or FaultKind.Isolate or FaultKind.BadNetwork))
            )
            // With two coordinators there is no witness: the documentation says what a lying firewall does there.
            .Where(kind => kind != FaultKind.Reject || nodes > 2)
            // Of several stores, one that is flushed by hand without a restart is an act of somebody who wants it.
            .Where(kind => kind is not (FaultKind.Flush or FaultKind.FlushAfterNextGrant) || stores == 1)
            .ToArray();
        var faults = new List<Fault>();
        var forgotten = TimeSpan.FromSeconds(-20);
        var rejectsUntil = TimeSpan.Zero;
        var crashedUntil = TimeSpan.Zero;
        for (var at = 0.5 + random.NextDouble(); at < Trouble.TotalSeconds; at += random.NextDouble() * 4)
        {
            var kind = kinds[random.Next(kinds.Length)];
            var moment = TimeSpan.FromSeconds(at);
            var duration = TimeSpan.FromSeconds(0.05 + random.NextDouble() * 5);
            // One that was down while the others learnt something must not be alone with a store that has lost it:
            // assumption 5.
            if (kind == FaultKind.PowerCut && moment < crashedUntil)
                continue;
            if (kind == FaultKind.Crash)
                crashedUntil = moment + duration + TimeSpan.FromSeconds(2);
            // Between two losses of memory those who remember get the time to tell: assumption 5 again.
            if (Forgets(kind))
            {
                if (moment < forgotten + TimeSpan.FromSeconds(stores > 1 ? 8 : 3))
                    continue;
                forgotten =
                    moment
                    + duration
                    + (
                        kind is FaultKind.StoreLosesItsNextGrant or FaultKind.FlushAfterNextGrant
                            ? World.GrantPatience
                            : TimeSpan.Zero
                    );
            }
            // Two coordinators whose firewalls lie at once about the same leader are more than the proof is made for.
            if (kind == FaultKind.Reject)
            {
                if (moment < rejectsUntil)
                    continue;
                rejectsUntil = moment + duration + TimeSpan.FromSeconds(1);
            }
            faults.Add(new Fault(moment, kind, random.Next(nodes), random.Next(Math.Max(nodes, stores)), duration));
        }
        return new Plan(seed, nodes, stores, faults) { SlowStores = slow };
    }
}
