using System.Collections.Immutable;
using Galaxy.Core.Clocks;

namespace Galaxy.Core.State;

/// <summary>What a reader sees of an entry.</summary>
/// <param name="Winner">The write that is served; null when the value is merged from several or nothing is
/// left.</param>
public sealed record StateView(ReadOnlyMemory<byte> Value, bool Deleted, Hlc Time, StateVersion? Winner)
{
    internal static StateView Of(StateEntry entry)
    {
        if (entry.Policy == ConflictPolicy.Merge)
            return Merged(entry.Versions);
        var winner = entry.Versions[0];
        foreach (var version in entry.Versions.AsSpan(1..))
        {
            if (Beats(version, winner, entry.Policy))
                winner = version;
        }
        return new StateView(winner.Value, winner.Deleted, winner.Time, winner);
    }

    private static bool Beats(StateVersion challenger, StateVersion holder, ConflictPolicy policy) =>
        policy switch
        {
            ConflictPolicy.FirstWriteWins => challenger.CompareAge(holder) < 0,
            ConflictPolicy.HighestPriority when challenger.Priority != holder.Priority => challenger.Priority
                > holder.Priority,
            _ => challenger.CompareAge(holder) > 0,
        };

    private static StateView Merged(ImmutableArray<StateVersion> versions)
    {
        var time = versions.Max(version => version.Time);
        var document = MergeDocument.Build(versions);
        return document is null ? new StateView(default, true, time, null) : new StateView(document, false, time, null);
    }
}
