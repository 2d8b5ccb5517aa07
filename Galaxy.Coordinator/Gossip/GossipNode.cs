using Galaxy.Core.Clocks;
using Galaxy.Core.Membership;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Gossip;

/// <summary>
/// This coordinator's view of the membership and its replica of the state, behind one lock. What changes is announced by
/// events, raised outside the lock. Thread-safe.
/// </summary>
internal sealed class GossipNode
{
    private readonly Lock _gate = new();
    private readonly NodeOptions _node;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ReplicatedMap _map;
    private MembershipTable _members;

    public GossipNode(NodeOptions node, Identity identity, TimeProvider time)
    {
        (_node, _time, _start) = (node, time, time.GetTimestamp());
        // The boot id makes each process an origin of its own: no dot is ever used twice.
        _map = new ReplicatedMap($"{node.NodeId}#{identity.Boot}");
        _members = MembershipTable.Create(
            new Member(node.NodeId, identity.Boot, 1, MemberState.Alive, node.Role == NodeRole.Standby ? "standby" : "coordinator",
                identity.Url, identity.GrpcUrl, Environment.ProcessId, ServiceDefaults.BuildVersion.Text, identity.StartedAt.ToUnixTimeMilliseconds()),
            TimeSpan.Zero);
    }

    /// <summary>Entries written here, to be passed on at once.</summary>
    public event Action<IReadOnlyList<StateEntry>>? Written;

    /// <summary>Entries that arrived and were news.</summary>
    public event Action<IReadOnlyList<StateEntry>>? Arrived;

    /// <summary>Membership or state changed in any way.</summary>
    public event Action? Changed;

    public TimeSpan Now => _time.GetElapsedTime(_start);

    public MembershipTable Members
    {
        get
        {
            lock (_gate)
                return _members;
        }
    }

    public VersionVector Summary
    {
        get
        {
            lock (_gate)
                return _map.Summary;
        }
    }

    private long WallMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Applies a function to the membership.</summary>
    public void UpdateMembers(Func<MembershipTable, MembershipTable> update)
    {
        lock (_gate)
        {
            var next = update(_members);
            if (ReferenceEquals(next, _members))
                return;
            _members = next;
        }
        Changed?.Invoke();
    }

    public StateEntry? Get(string ns, string key)
    {
        lock (_gate)
            return _map.Get(ns, key);
    }

    public IReadOnlyList<StateEntry> List(string ns)
    {
        lock (_gate)
            return _map.List(ns);
    }

    /// <exception cref="ArgumentException">The value is too large.</exception>
    public void Put(string ns, string key, ReadOnlyMemory<byte> value)
    {
        StateEntry entry;
        lock (_gate)
            entry = _map.Put(ns, key, value, WallMs);
        Written?.Invoke([entry]);
        Changed?.Invoke();
    }

    public bool Delete(string ns, string key)
    {
        StateEntry? entry;
        lock (_gate)
            entry = _map.Delete(ns, key, WallMs);
        if (entry is null)
            return false;
        Written?.Invoke([entry]);
        Changed?.Invoke();
        return true;
    }

    public (IReadOnlyList<StateEntry> Entries, VersionVector Reaches) DeltaFor(VersionVector summary, int maxBytes)
    {
        lock (_gate)
            return _map.DeltaFor(summary, maxBytes);
    }

    /// <summary>Takes in a peer's delta. With <paramref name="reaches"/> null it is a rumor that vouches for nothing else.</summary>
    public IReadOnlyList<StateEntry> Apply(IReadOnlyList<StateEntry> entries, VersionVector? reaches)
    {
        IReadOnlyList<StateEntry> news;
        lock (_gate)
            news = _map.ApplyDelta(entries, reaches ?? VersionVector.Empty, WallMs);
        if (news.Count == 0)
            return news;
        Arrived?.Invoke(news);
        Changed?.Invoke();
        return news;
    }

    /// <summary>
    /// The candidates for leadership in rank order: primary, secondaries, other coordinators by name, standbys by name.
    /// Only live members stand.
    /// </summary>
    public IReadOnlyList<string> Candidates()
    {
        var order = new List<string>();
        if (_node.FailoverPrimary is { } primary)
            order.Add(primary);
        order.AddRange(_node.FailoverSecondaries);
        return [.. Members.All
            .Where(member => member.State == MemberState.Alive)
            .OrderBy(member => order.IndexOf(member.NodeId) is >= 0 and var place ? place : int.MaxValue)
            .ThenBy(member => member.Role == "standby")
            .ThenBy(member => member.NodeId, StringComparer.Ordinal)
            .Select(member => member.NodeId)];
    }
}
