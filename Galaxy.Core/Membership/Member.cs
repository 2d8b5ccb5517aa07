namespace Galaxy.Core.Membership;

/// <summary>What the cluster believes of a member. Ordered by how much it overrides at equal incarnation.</summary>
public enum MemberState
{
    Alive = 0,
    Suspect = 1,
    Dead = 2,
    Left = 3,
}

/// <summary>A coordinator as gossip carries it.</summary>
/// <param name="NodeId">The configured name, unique in the cluster.</param>
/// <param name="Boot">A random id of the process: another boot under the same name is a restart.</param>
/// <param name="Incarnation">Raised by the member itself: to refute what others say of it, and when it is reached
/// elsewhere.</param>
/// <param name="Role"><c>coordinator</c> or <c>standby</c>.</param>
/// <param name="Url">Where its HTTP API listens.</param>
/// <param name="GrpcUrl">Where its gRPC services listen.</param>
public sealed record Member(
    string NodeId,
    string Boot,
    ulong Incarnation,
    MemberState State,
    string Role,
    string Url,
    string GrpcUrl,
    int Pid,
    string Version,
    long StartedAtUnixMs
)
{
    /// <summary>
    /// SWIM's order of claims (Das et al., 2002, section 4.2): a higher incarnation overrides; at the same one the
    /// graver state does.
    /// </summary>
    public bool Overrides(Member other) =>
        Incarnation != other.Incarnation ? Incarnation > other.Incarnation : State > other.State;
}
