using System.Collections.Immutable;
using Galaxy.Core.Clocks;

namespace Galaxy.Core.State;

/// <summary>
/// One key of the replicated map: the writes that nothing has superseded, and the version vector of all that its
/// writers had seen. A dotted version vector set (Preguiça et al., "Dotted Version Vectors", 2010): more than one write
/// remains at a place only when none of their writers knew of the others. Immutable.
/// </summary>
/// <param name="Namespace">Groups keys: <c>devices</c>, <c>services</c>, <c>config</c> …</param>
/// <param name="Versions">Ordered by path, origin, counter; never empty.</param>
/// <param name="Context">Every write of this key that the versions' writers knew, the versions themselves
/// included.</param>
public sealed record StateEntry(
    string Namespace,
    string Key,
    ImmutableArray<StateVersion> Versions,
    VersionVector Context
)
{
    private StateView? _view;
    private ulong? _digest;

    // A changed copy is seen anew: what was computed of the original is not taken along.
    private StateEntry(StateEntry original) =>
        (Namespace, Key, Versions, Context) = (original.Namespace, original.Key, original.Versions, original.Context);

    /// <summary>What it adds to the state's digest. Computed once.</summary>
    internal ulong Digest => _digest ??= StateDigest.Of(this);

    /// <summary>How siblings are read: what the latest writer said.</summary>
    public ConflictPolicy Policy => Latest.Policy;

    /// <summary>What a reader sees. Computed once.</summary>
    public StateView View => _view ??= StateView.Of(this);

    /// <summary>The value that a reader sees; empty when deleted.</summary>
    public ReadOnlyMemory<byte> Value => View.Value;

    /// <summary>True when a reader sees nothing.</summary>
    public bool Deleted => View.Deleted;

    /// <summary>When the value that a reader sees was written; of a merged document, its latest field.</summary>
    public Hlc Time => View.Time;

    /// <summary>The entry's latest write.</summary>
    public StateVersion Latest
    {
        get
        {
            var latest = Versions[0];
            foreach (var version in Versions.AsSpan(1..))
            {
                if (version.CompareAge(latest) > 0)
                    latest = version;
            }
            return latest;
        }
    }

    /// <summary>True when only tombstones are left.</summary>
    public bool IsTombstone => Versions.All(version => version.Deleted);

    /// <summary>True when a person has to decide.</summary>
    public bool IsContested => Policy == ConflictPolicy.Manual && Versions.Length > 1;

    /// <summary>A rough size on the wire, in bytes; used to bound frames.</summary>
    public int ApproximateSize =>
        48 + Namespace.Length + Key.Length + Versions.Sum(version => version.ApproximateSize) + (Context.Count * 24);

    /// <summary>
    /// The least entry that knows what either knows. A version stays when both have it, or when the other side has not
    /// seen it; one that the other side has seen and does not have was superseded there. Commutative, associative,
    /// idempotent.
    /// </summary>
    /// <param name="ours">What this replica has.</param>
    /// <param name="seenHere">What else this replica has seen, besides the entry's own context.</param>
    /// <param name="seenThere">What else the other replica has seen.</param>
    internal static StateEntry Join(StateEntry ours, StateEntry theirs, VersionVector seenHere, VersionVector seenThere)
    {
        var versions = ImmutableArray.CreateBuilder<StateVersion>(ours.Versions.Length + theirs.Versions.Length);
        var changed = false;
        foreach (var version in ours.Versions)
        {
            if (theirs.Has(version) || !(theirs.Context.Contains(version.Dot) || seenThere.Contains(version.Dot)))
                versions.Add(version);
            else
                changed = true;
        }
        foreach (var version in theirs.Versions)
        {
            if (ours.Has(version) || ours.Context.Contains(version.Dot) || seenHere.Contains(version.Dot))
                continue;
            versions.Add(version);
            changed = true;
        }
        var context = ours.Context.Merge(theirs.Context);
        if (!changed)
            return ReferenceEquals(context, ours.Context) ? ours : ours with { Context = context };
        versions.Sort(StateVersion.CompareByPlace);
        return new StateEntry(ours.Namespace, ours.Key, versions.DrainToImmutable(), context);
    }

    private bool Has(StateVersion version)
    {
        foreach (var mine in Versions)
        {
            if (mine.Dot == version.Dot && mine.Path == version.Path)
                return true;
        }
        return false;
    }
}
