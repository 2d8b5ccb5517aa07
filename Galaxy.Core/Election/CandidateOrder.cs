namespace Galaxy.Core.Election;

/// <summary>What the order of candidates depends on.</summary>
/// <param name="Demoted">It lost the lease too often lately: see <see cref="FlapDamping"/>.</param>
public sealed record Candidate(string NodeId, bool IsStandby, bool Demoted = false);

/// <summary>
/// The order of candidates: the primary, the secondaries in their order, other coordinators by name, standbys; after
/// all of these the nodes that keep losing the lease.
/// </summary>
public static class CandidateOrder
{
    public static IReadOnlyList<string> Of(
        IEnumerable<Candidate> candidates,
        string? primary,
        IReadOnlyList<string> secondaries
    )
    {
        int Place(string node)
        {
            if (node == primary)
                return 0;
            for (var i = 0; i < secondaries.Count; i++)
            {
                if (secondaries[i] == node)
                    return i + 1;
            }
            return int.MaxValue;
        }

        return
        [
            .. candidates
                .OrderBy(candidate => candidate.Demoted)
                .ThenBy(candidate => Place(candidate.NodeId))
                .ThenBy(candidate => candidate.IsStandby)
                .ThenBy(candidate => candidate.NodeId, StringComparer.Ordinal)
                .Select(candidate => candidate.NodeId),
        ];
    }
}

/// <summary>
/// A node that loses the lease again and again is put last, for a time that doubles with each loss: a leader that lives
/// for two seconds is worse than one that is merely not preferred.
/// </summary>
public static class FlapDamping
{
    /// <summary>Losses further back do not count.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    /// <summary>So many losses within the window are bad luck.</summary>
    public const int Tolerated = 2;

    private static readonly TimeSpan First = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Last = TimeSpan.FromMinutes(10);

    /// <summary>Until when the node ranks last; null: it does not.</summary>
    /// <param name="losses">When it lost the lease by dying, hanging or being cut off; giving it up does not count. Any
    /// one clock.</param>
    public static TimeSpan? DemotedUntil(IEnumerable<TimeSpan> losses, TimeSpan now)
    {
        var recent = losses.Where(at => at <= now && now - at < Window).Order().ToList();
        if (recent.Count <= Tolerated)
            return null;
        var doublings = Math.Min(recent.Count - Tolerated - 1, 10);
        var penalty = First * Math.Pow(2, doublings);
        var until = recent[^1] + (penalty < Last ? penalty : Last);
        return until > now ? until : null;
    }
}
