using Galaxy.Core.Clocks;
using Galaxy.Core.Election;
using Galaxy.Core.Membership;
using Galaxy.Core.State;
using Google.Protobuf;
using Wire = Galaxy.Contracts.Gossip;

namespace Galaxy.Coordinator.Replica;

/// <summary>Between Core's types and the messages of <c>galaxy.gossip.v1</c>.</summary>
internal static class GossipWire
{
    // Several siblings of the largest size; more than a sane cluster makes.
    private const int MaxEntryBytes = 2 * 1024 * 1024;
    private const int MaxAccusers = 32;

    // The year 9000.
    private const long LatestTimeMs = 221_845_392_000_000;

    public static Wire.Member ToWire(this Claim claim)
    {
        var wire = claim.Member.ToWire();
        wire.Accusers.AddRange(claim.Accusers);
        return wire;
    }

    public static Wire.Member ToWire(this Member member) =>
        new()
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

    public static string Name(MemberState state) =>
        state switch
        {
            MemberState.Alive => "alive",
            MemberState.Suspect => "suspect",
            MemberState.Left => "left",
            _ => "dead",
        };

    /// <summary>
    /// Null when the message cannot be a member: no name, no boot, or a state that this version does not know.
    /// </summary>
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
            : new Member(
                wire.NodeId,
                wire.Boot,
                wire.Incarnation,
                state.Value,
                wire.Role,
                wire.Url,
                wire.GrpcUrl,
                wire.Pid,
                wire.Version,
                wire.StartedAtUnixMs
            );
    }

    /// <summary>Null when the message cannot be a member.</summary>
    public static Claim? ToClaim(this Wire.Member? wire) =>
        wire.FromWire() is { } member
            ? new Claim(
                member,
                Claim.Nobody.Union(wire!.Accusers.Where(name => name.Length is > 0 and <= 63).Take(MaxAccusers))
            )
            : null;

    public static IEnumerable<Claim> ToClaims(this IEnumerable<Wire.Member> wire) =>
        wire.Select(ToClaim).OfType<Claim>();

    public static Wire.Frame ToWire(this SwimMessage message)
    {
        var frame = new Wire.Frame
        {
            Number = message.Number,
            Kind = message switch
            {
                SwimMessage.Ack => Wire.Frame.Types.Kind.Ack,
                SwimMessage.Nack => Wire.Frame.Types.Kind.Nack,
                SwimMessage.Ask => Wire.Frame.Types.Kind.Ask,
                SwimMessage.Tell => Wire.Frame.Types.Kind.Tell,
                _ => Wire.Frame.Types.Kind.Ping,
            },
            Target = message is SwimMessage.Ask ask ? ask.Target : "",
        };
        frame.Claims.AddRange(message.Claims.Select(ToWire));
        return frame;
    }

    /// <summary>Null when it is of a kind that this version does not know.</summary>
    public static SwimMessage? FromWire(this Wire.Frame frame)
    {
        var claims = frame.Claims.ToClaims().ToList();
        return frame.Kind switch
        {
            Wire.Frame.Types.Kind.Ping => new SwimMessage.Ping(frame.Number, claims),
            Wire.Frame.Types.Kind.Ack => new SwimMessage.Ack(frame.Number, claims),
            Wire.Frame.Types.Kind.Nack => new SwimMessage.Nack(frame.Number, claims),
            Wire.Frame.Types.Kind.Tell => new SwimMessage.Tell(claims),
            Wire.Frame.Types.Kind.Ask when frame.Target.Length is > 0 and <= 63 => new SwimMessage.Ask(
                frame.Number,
                frame.Target,
                claims
            ),
            _ => null,
        };
    }

    public static Wire.Lease? ToWire(this LeaseRecord? lease) =>
        lease is null
            ? null
            : new Wire.Lease
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
        var served = entry.View.Winner ?? entry.Latest;
        var wire = new Wire.Entry
        {
            Namespace = entry.Namespace,
            Key = entry.Key,
            Value = UnsafeByteOperations.UnsafeWrap(entry.Value),
            Deleted = entry.Deleted,
            Dot = served.Dot.ToWire(),
            HlcPhysicalMs = served.Time.PhysicalMs,
            HlcLogical = served.Time.Logical,
        };
        wire.Context.AddRange(entry.Context.Dots.Select(ToWire));
        // The usual entry says all in the fields above.
        if (entry.Versions is not [{ Path: "", Policy: ConflictPolicy.LastWriteWins, Priority: 0 }])
            wire.Versions.AddRange(entry.Versions.Select(ToWire));
        return wire;
    }

    private static Wire.Version ToWire(StateVersion version) =>
        new()
        {
            Path = version.Path,
            Dot = version.Dot.ToWire(),
            HlcPhysicalMs = version.Time.PhysicalMs,
            HlcLogical = version.Time.Logical,
            Deleted = version.Deleted,
            Policy = (uint)version.Policy,
            Priority = version.Priority,
            Value = UnsafeByteOperations.UnsafeWrap(version.Value),
        };

    /// <summary>Null when the message cannot be an entry.</summary>
    public static StateEntry? FromWire(this Wire.Entry wire)
    {
        var versions =
            wire.Versions.Count > 0
                ? wire.Versions.Select(FromWire).OfType<StateVersion>().ToList()
                : [.. FromOldPeer(wire)];
        if (
            versions.Count == 0
            || versions.Sum(version => version.Value.Length) > MaxEntryBytes
            || wire.Namespace.Length is 0 or > 128
            || wire.Key.Length > 1024
        )
            return null;
        versions.Sort(StateVersion.CompareByPlace);
        var context = versions.Aggregate(wire.Context.ToVector(), (vector, version) => vector.With(version.Dot));
        return new StateEntry(wire.Namespace, wire.Key, [.. versions], context);
    }

    private static IEnumerable<StateVersion> FromOldPeer(Wire.Entry wire) =>
        IsDot(wire.Dot) && IsTime(wire.HlcPhysicalMs)
            ?
            [
                new StateVersion(
                    "",
                    new Dot(wire.Dot.Origin, wire.Dot.Counter),
                    new Hlc(wire.HlcPhysicalMs, wire.HlcLogical),
                    wire.Deleted,
                    ConflictPolicy.LastWriteWins,
                    0,
                    wire.Value.Memory
                ),
            ]
            : [];

    // A policy of a newer version is read as the default: the value stays.
    private static StateVersion? FromWire(Wire.Version wire) =>
        IsDot(wire.Dot) && IsTime(wire.HlcPhysicalMs)
            ? new StateVersion(
                wire.Path,
                new Dot(wire.Dot.Origin, wire.Dot.Counter),
                new Hlc(wire.HlcPhysicalMs, wire.HlcLogical),
                wire.Deleted,
                wire.Policy <= (uint)ConflictPolicy.Manual ? (ConflictPolicy)wire.Policy : ConflictPolicy.LastWriteWins,
                wire.Priority,
                wire.Value.Memory
            )
            : null;

    // A clock that is ahead is followed by all. One beyond the calendar would take every later write with it, out of
    // what can be shown.
    private static bool IsTime(long milliseconds) => milliseconds is >= 0 and < LatestTimeMs;

    private static bool IsDot(Wire.Dot? dot) => dot is { Origin.Length: > 0 and <= 128, Counter: > 0 };
}
