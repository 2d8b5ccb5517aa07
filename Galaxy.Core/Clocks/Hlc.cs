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
    public Hlc Next(long wallMs) =>
        wallMs > PhysicalMs ? new Hlc(wallMs, 0) : new Hlc(PhysicalMs, Logical + 1);

    /// <summary>The reading after a message that carried <paramref name="remote"/> arrived.</summary>
    public Hlc Receive(Hlc remote, long wallMs)
    {
        var highest = this >= remote ? this : remote;
        return highest.Next(wallMs);
    }

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
