using System.Collections.Immutable;

namespace Galaxy.Core.Membership;

/// <summary>What one node tells another of a member.</summary>
/// <param name="Accusers">The members that found a suspect silent by their own probes; empty for members that are not
/// suspects.</param>
public sealed record Claim(Member Member, ImmutableSortedSet<string> Accusers)
{
    public static ImmutableSortedSet<string> Nobody { get; } =
        ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    public Claim(Member member)
        : this(member, Nobody) { }
}
