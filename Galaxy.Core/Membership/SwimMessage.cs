namespace Galaxy.Core.Membership;

/// <summary>The messages by which nodes find out which members are alive. Each carries membership updates.</summary>
/// <param name="Number">Chosen by the sender of the question; the answer repeats it.</param>
public abstract record SwimMessage(ulong Number, IReadOnlyList<Claim> Claims)
{
    /// <summary>Asks whether the receiver is alive.</summary>
    public sealed record Ping(ulong Number, IReadOnlyList<Claim> Claims) : SwimMessage(Number, Claims);

    /// <summary>Requests an indirect probe of <paramref name="Target"/>, which the sender cannot reach.</summary>
    public sealed record Ask(ulong Number, string Target, IReadOnlyList<Claim> Claims) : SwimMessage(Number, Claims);

    /// <summary>The sender is alive; or, as the reply to an indirect probe, the probed member is.</summary>
    public sealed record Ack(ulong Number, IReadOnlyList<Claim> Claims) : SwimMessage(Number, Claims);

    /// <summary>
    /// The sender is alive, but the probed member has not answered it either (Lifeguard): the asker is not at fault.
    /// </summary>
    public sealed record Nack(ulong Number, IReadOnlyList<Claim> Claims) : SwimMessage(Number, Claims);

    /// <summary>Carries only membership updates that should not wait for the next probe. Not answered.</summary>
    public sealed record Tell(IReadOnlyList<Claim> Claims) : SwimMessage(0, Claims);
}

/// <summary>What <see cref="Swim"/> wants done, or wants known.</summary>
public abstract record SwimEffect
{
    public sealed record Send(string To, SwimMessage Message) : SwimEffect;

    /// <summary>A member answered, to this node or to one that asked on its behalf.</summary>
    public sealed record Answered(string NodeId, bool Directly) : SwimEffect;

    /// <summary>A member has not answered this node in time; others are being asked.</summary>
    public sealed record Silent(string NodeId) : SwimEffect;
}
