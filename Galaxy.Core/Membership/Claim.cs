using System.Collections.Immutable;

namespace Galaxy.Core.Membership;

/// <summary>What one node tells another of a member.</summary>
/// <param name="Accusers">Who found a suspect silent by its own probe; empty for the others.</param>
public sealed record Claim(Member Member, ImmutableSortedSet<string> Accusers)
{
    public static ImmutableSortedSet<string> Nobody { get; } =
        ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    public Claim(Member member)
        : this(member, Nobody) { }
}
