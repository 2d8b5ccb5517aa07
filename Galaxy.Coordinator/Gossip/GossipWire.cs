using Galaxy.Core.Clocks;
using Galaxy.Core.Election;
using Galaxy.Core.Membership;
using Galaxy.Core.State;
using Google.Protobuf;
using Wire = Galaxy.Contracts.Gossip;

namespace Galaxy.Coordinator.Gossip;

/// <summary>Between Core's types and the messages of <c>galaxy.gossip.v1</c>.</summary>
internal static class GossipWire
{
    public static Wire.Member ToWire(this Member member) => new()
    {
        NodeId = member.NodeId,
        Boot = member.Boot,
        Incarnation = member.Incarnation,
        State = Name(member.State),
        Role = member.Role,
        Url = member.Url,
        GrpcUrl = member.GrpcUrl,
        Pid = member.Pid,
        Version = member.Version,
        StartedAtUnixMs = member.StartedAtUnixMs,
    };

    public static string Name(MemberState state) => state switch
    {
        MemberState.Alive => "alive",
        MemberState.Suspect => "suspect",
        MemberState.Left => "left",
        _ => "dead",
    };

    /// <summary>Null when the message cannot be a member: no name, no boot, or a state that this version does not know.</summary>
    public static Member? FromWire(this Wire.Member? wire)
    {
        MemberState? state = wire?.State switch
        {
            "alive" => MemberState.Alive,
            "suspect" => MemberState.Suspect,
            "dead" => MemberState.Dead,
            "left" => MemberState.Left,
            _ => null,
        };
        return wire is null || state is null || wire.NodeId.Length is 0 or > 63 || wire.Boot.Length == 0
            ? null
            : new Member(wire.NodeId, wire.Boot, wire.Incarnation, state.Value, wire.Role, wire.Url, wire.GrpcUrl, wire.Pid, wire.Version, wire.StartedAtUnixMs);
    }

    public static Wire.Lease? ToWire(this LeaseRecord? lease) => lease is null ? null : new Wire.Lease
    {
        Holder = lease.Holder,
        Boot = lease.Boot,
        Token = lease.Token,
        Url = lease.Url,
        Traceparent = lease.TraceParent,
        AcquiredUnixMs = lease.AcquiredUnixMs,
    };

    public static Wire.Dot ToWire(this Dot dot) => new() { Origin = dot.Origin, Counter = dot.Counter };

    public static VersionVector ToVector(this IEnumerable<Wire.Dot> dots) =>
        dots.Aggregate(VersionVector.Empty, (vector, dot) => vector.With(new Dot(dot.Origin, dot.Counter)));

    public static Wire.Entry ToWire(this StateEntry entry)
    {
        var wire = new Wire.Entry
        {
            Namespace = entry.Namespace,
            Key = entry.Key,
            Value = UnsafeByteOperations.UnsafeWrap(entry.Value),
            Deleted = entry.Deleted,
            Dot = entry.Dot.ToWire(),
            HlcPhysicalMs = entry.Time.PhysicalMs,
            HlcLogical = entry.Time.Logical,
        };
        wire.Context.AddRange(entry.Context.Dots.Select(ToWire));
        return wire;
    }

    public static StateEntry? FromWire(this Wire.Entry wire) =>
        wire.Dot is null || wire.Dot.Origin.Length == 0 || wire.Dot.Counter == 0 || wire.Value.Length > ReplicatedMap.MaxValueBytes
            ? null
            : new StateEntry(
                wire.Namespace, wire.Key, wire.Value.Memory, wire.Deleted, new Dot(wire.Dot.Origin, wire.Dot.Counter),
                wire.Context.ToVector(), new Hlc(wire.HlcPhysicalMs, wire.HlcLogical));
}
