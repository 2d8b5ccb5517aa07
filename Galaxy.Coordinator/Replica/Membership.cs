using Galaxy.Coordinator.Node;
using Galaxy.Core.Membership;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Replica;

/// <summary>This coordinator's view of the members and its failure detector, behind one lock. Thread-safe.</summary>
internal sealed class Membership
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Swim _swim;

    public Membership(NodeOptions node, Identity identity, TimeProvider time)
    {
        (_time, _start) = (time, time.GetTimestamp());
        _swim = new Swim(
            new Member(
                node.NodeId,
                identity.Boot,
                1,
                MemberState.Alive,
                node.Role == NodeRole.Standby ? "standby" : "coordinator",
                identity.Url,
                identity.GrpcUrl,
                Environment.ProcessId,
                BuildVersion.Text,
                identity.StartedAt.ToUnixTimeMilliseconds()
            ),
            new MembershipSettings(),
            new Random(),
            TimeSpan.Zero
        );
    }

    /// <summary>A member joined, left, moved or is thought of otherwise. Raised outside the lock.</summary>
    public event Action? Changed;

    /// <summary>Time since this process began, which the failure detector goes by.</summary>
    public TimeSpan Now => _time.GetElapsedTime(_start);

    public MembershipTable Members
    {
        get
        {
            lock (_gate)
                return _swim.Table;
        }
    }

    /// <summary>When the failure detector's next turn is due, by <see cref="Now"/>.</summary>
    public TimeSpan NextTurn
    {
        get
        {
            lock (_gate)
                return _swim.NextTick;
        }
    }

    /// <summary>Lets the failure detector do something, and returns what it wants done.</summary>
    public IReadOnlyList<SwimEffect> Detect(Func<Swim, TimeSpan, IReadOnlyList<SwimEffect>> act)
    {
        IReadOnlyList<SwimEffect> effects;
        bool changed;
        lock (_gate)
        {
            var before = _swim.Table;
            effects = act(_swim, Now);
            changed = !ReferenceEquals(before, _swim.Table);
        }
        if (changed)
            Changed?.Invoke();
        return effects;
    }

    /// <summary>Takes in what a peer says of members.</summary>
    public void Merge(IEnumerable<Claim> claims) =>
        Detect(
            (swim, now) =>
            {
                swim.Merge(claims, now);
                return [];
            }
        );

    /// <summary>Tells the others that this node is reached elsewhere from now on.</summary>
    public void Move(string url, string grpcUrl) =>
        Detect(
            (swim, now) =>
            {
                swim.Move(url, grpcUrl, now);
                return [];
            }
        );

    /// <summary>Marks this node as having left: peers that receive its messages from now on learn of it.</summary>
    public void Leave() =>
        Detect(
            (swim, now) =>
            {
                swim.Leave(now);
                return [];
            }
        );
}
