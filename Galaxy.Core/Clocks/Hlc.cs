namespace Galaxy.Core.Clocks;

/// <summary>
/// A reading of a hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014): close to wall time,
/// never going back, and later than every reading that happened before it.
/// </summary>
/// <param name="PhysicalMs">Unix time in milliseconds, the highest seen so far.</param>
/// <param name="Logical">Orders readings within one millisecond.</param>
public readonly record struct Hlc(long PhysicalMs, uint Logical) : IComparable<Hlc>
{
    /// <summary>The reading for a local event at wall time <paramref name="wallMs"/>.</summary>
    public Hlc Next(long wallMs) => wallMs > PhysicalMs ? new Hlc(wallMs, 0) : new Hlc(PhysicalMs, Logical + 1);

    /// <summary>
    /// The clock after it heard of <paramref name="remote"/>. Hearing takes no reading of its own: the clock depends on
    /// what was heard, not on how often or in which pieces, so that replicas which know the same have the same clock.
    /// </summary>
    public Hlc Receive(Hlc remote) => this >= remote ? this : remote;

    public int CompareTo(Hlc other)
    {
        var byTime = PhysicalMs.CompareTo(other.PhysicalMs);
        return byTime != 0 ? byTime : Logical.CompareTo(other.Logical);
    }

    public static bool operator <(Hlc left, Hlc right) => left.CompareTo(right) < 0;

    public static bool operator >(Hlc left, Hlc right) => left.CompareTo(right) > 0;

    public static bool operator <=(Hlc left, Hlc right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Hlc left, Hlc right) => left.CompareTo(right) >= 0;
}
