using Galaxy.Core.Clocks;

namespace Galaxy.Core.State;

/// <summary>
/// One key of the replicated map with the write that set it.
/// </summary>
/// <param name="Namespace">Groups keys: <c>devices</c>, <c>services</c>, <c>settings</c> …</param>
/// <param name="Value">The bytes as written (JSON in every namespace of Galaxy's own); empty when deleted.</param>
/// <param name="Deleted">True for a tombstone.</param>
/// <param name="Dot">The write.</param>
/// <param name="Context">What the writer had seen of this key; with <paramref name="Dot"/> it is the entry's version vector.</param>
/// <param name="Time">When it was written; decides between concurrent writes.</param>
public sealed record StateEntry(
    string Namespace,
    string Key,
    ReadOnlyMemory<byte> Value,
    bool Deleted,
    Dot Dot,
    VersionVector Context,
    Hlc Time)
{
    /// <summary>Everything that this entry supersedes, itself included.</summary>
    public VersionVector Version => Context.With(Dot);

    /// <summary>True when this entry was written with knowledge of <paramref name="other"/>.</summary>
    public bool Supersedes(StateEntry other) => Context.Contains(other.Dot);

    /// <summary>A rough size on the wire, in bytes; used to bound frames.</summary>
    public int ApproximateSize => 64 + Namespace.Length + Key.Length + Value.Length + Context.Dots.Sum(d => d.Origin.Length + 12);
}
