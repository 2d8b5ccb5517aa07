namespace Galaxy.Core.Membership;

/// <summary>What nodes say to each other to find out who lives. Each message carries news of members along.</summary>
/// <param name="Number">Chosen by the sender of the question; the answer repeats it.</param>
public abstract record SwimMessage(ulong Number, IReadOnlyList<Claim> Claims)
{
    /// <summary>Are you there?</summary>
    public sealed record Ping(ulong Number, IReadOnlyList<Claim> Claims) : SwimMessage(Number, Claims);

    /// <summary>Ask <paramref name="Target"/> for me, I cannot reach it.</summary>
    public sealed record Ask(ulong Number, string Target, IReadOnlyList<Claim> Claims) : SwimMessage(Number, Claims);

    /// <summary>I am here; or, to one who asked, that other is.</summary>
    public sealed record Ack(ulong Number, IReadOnlyList<Claim> Claims) : SwimMessage(Number, Claims);

    /// <summary>
    /// I am here, but that other has not answered me either (Lifeguard): the silence is not the asker's own.
    /// </summary>
    public sealed record Nack(ulong Number, IReadOnlyList<Claim> Claims) : SwimMessage(Number, Claims);

    /// <summary>Only news, which should not wait for the next probe. Not answered.</summary>
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
