using System.Text;
using Galaxy.Core.Clocks;

namespace Galaxy.Core.State;

/// <summary>One write that still counts at one place of an entry.</summary>
/// <param name="Path">Empty for the whole value; in a merged document the field, as a JSON pointer (RFC 6901).</param>
/// <param name="Dot">The write. Fields written together share it.</param>
/// <param name="Time">When it was written.</param>
/// <param name="Deleted">True for a tombstone.</param>
/// <param name="Policy">How the writer wanted siblings to be read.</param>
/// <param name="Priority">Read by <see cref="ConflictPolicy.HighestPriority"/> only.</param>
/// <param name="Value">The bytes; empty when deleted.</param>
public sealed record StateVersion(
    string Path,
    Dot Dot,
    Hlc Time,
    bool Deleted,
    ConflictPolicy Policy,
    int Priority,
    ReadOnlyMemory<byte> Value
)
{
    /// <summary>A rough size on the wire, in bytes.</summary>
    public int ApproximateSize =>
        40 + (Path.Length == 0 ? 0 : Encoding.UTF8.GetByteCount(Path)) + Dot.Origin.Length + Value.Length;

    /// <summary>
    /// The order that decides between concurrent writes: time, then origin, then counter. Total, as no two writes share
    /// a dot.
    /// </summary>
    internal int CompareAge(StateVersion other)
    {
        var byTime = Time.CompareTo(other.Time);
        if (byTime != 0)
            return byTime;
        var byOrigin = string.CompareOrdinal(Dot.Origin, other.Dot.Origin);
        return byOrigin != 0 ? byOrigin : Dot.Counter.CompareTo(other.Dot.Counter);
    }

    /// <summary>The order in which an entry keeps its versions: the same on every replica.</summary>
    public static int CompareByPlace(StateVersion left, StateVersion right)
    {
        var byPath = string.CompareOrdinal(left.Path, right.Path);
        if (byPath != 0)
            return byPath;
        var byOrigin = string.CompareOrdinal(left.Dot.Origin, right.Dot.Origin);
        return byOrigin != 0 ? byOrigin : left.Dot.Counter.CompareTo(right.Dot.Counter);
    }
}
