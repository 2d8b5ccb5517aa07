using System.Collections.Immutable;

namespace Galaxy.Core.Clocks;

/// <summary>One write: the <paramref name="Counter"/>-th (from 1) of the process <paramref name="Origin"/>.</summary>
public readonly record struct Dot(string Origin, ulong Counter);

/// <summary>
/// For each origin the highest write that is known (Parker et al., 1983). Immutable.
/// </summary>
public sealed class VersionVector : IEquatable<VersionVector>
{
    private readonly ImmutableSortedDictionary<string, ulong> _counters;

    private VersionVector(ImmutableSortedDictionary<string, ulong> counters) => _counters = counters;

    public static VersionVector Empty { get; } =
        new(ImmutableSortedDictionary.Create<string, ulong>(StringComparer.Ordinal));

    /// <summary>The highest counter known of <paramref name="origin"/>; 0 when none is.</summary>
    public ulong this[string origin] => _counters.GetValueOrDefault(origin);

    /// <summary>The vector's dots, ordered by origin (ordinal).</summary>
    public IEnumerable<Dot> Dots => _counters.Select(pair => new Dot(pair.Key, pair.Value));

    /// <summary>How many origins it names.</summary>
    public int Count => _counters.Count;

    public bool IsEmpty => _counters.IsEmpty;

    public bool Contains(Dot dot) => this[dot.Origin] >= dot.Counter;

    /// <summary>This vector with everything up to <paramref name="dot"/> known.</summary>
    public VersionVector With(Dot dot) =>
        Contains(dot) ? this : new VersionVector(_counters.SetItem(dot.Origin, dot.Counter));

    /// <summary>The least vector that knows what either knows. Commutative, associative, idempotent.</summary>
    public VersionVector Merge(VersionVector other)
    {
        var merged = this;
        foreach (var dot in other.Dots)
            merged = merged.With(dot);
        return merged;
    }

    /// <summary>This vector with nothing known of <paramref name="origin"/>.</summary>
    public VersionVector Without(string origin) =>
        _counters.ContainsKey(origin) ? new VersionVector(_counters.Remove(origin)) : this;

    /// <summary>The greatest vector that knows only what both know.</summary>
    public VersionVector Meet(VersionVector other)
    {
        var common = Empty;
        foreach (var dot in Dots)
        {
            if (Math.Min(dot.Counter, other[dot.Origin]) is > 0 and var counter)
                common = common.With(dot with { Counter = counter });
        }
        return common;
    }

    /// <summary>True when this vector knows all that <paramref name="other"/> knows.</summary>
    public bool Dominates(VersionVector other) => other.Dots.All(Contains);

    public bool Equals(VersionVector? other) =>
        other is not null && _counters.Count == other._counters.Count && Dominates(other) && other.Dominates(this);

    public override bool Equals(object? obj) => Equals(obj as VersionVector);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var dot in Dots)
            hash.Add(dot);
        return hash.ToHashCode();
    }

    public override string ToString() => string.Join(',', Dots.Select(dot => $"{dot.Origin}:{dot.Counter}"));
}
