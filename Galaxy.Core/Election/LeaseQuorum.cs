namespace Galaxy.Core.Election;

/// <summary>What a round over all stores has come to.</summary>
public enum Verdict
{
    /// <summary>More answers are needed.</summary>
    Open,

    /// <summary>A majority said yes.</summary>
    Yes,

    /// <summary>A majority can no longer say yes, though a majority answers.</summary>
    No,

    /// <summary>A majority cannot be reached.</summary>
    Unreachable,
}

/// <summary>
/// The arithmetic of one, three or five stores, each of which is a register guarded by a ballot, the token (Lamport,
/// "Paxos Made Simple", 2001; the lease's duration replaces the second phase's permanence). One store is a majority of
/// itself, so the same rules hold for it.
/// </summary>
public static class LeaseQuorum
{
    public static int Majority(int stores) => stores / 2 + 1;

    /// <summary>
    /// Counts a round. Null is a store that failed or did not answer in time; absent ones have not answered yet.
    /// </summary>
    public static Verdict Count(IEnumerable<bool?> answers, int stores)
    {
        int yes = 0,
            no = 0,
            failed = 0;
        foreach (var answer in answers)
        {
            if (answer is null)
                failed++;
            else if (answer.Value)
                yes++;
            else
                no++;
        }
        var majority = Majority(stores);
        if (yes >= majority)
            return Verdict.Yes;
        if (yes + (stores - yes - no - failed) >= majority)
            return Verdict.Open;
        return yes + no >= majority ? Verdict.No
            : stores - failed >= majority ? Verdict.Open
            : Verdict.Unreachable;
    }

    /// <summary>
    /// Joins the readings of a majority. A lease counts as held as long as it may be held by a majority; one that
    /// cannot be is the remainder of a failed attempt.
    /// </summary>
    public static LeaseReading Join(IReadOnlyCollection<LeaseReading> readings, int stores)
    {
        var missing = stores - readings.Count;
        var held = readings
            .Where(reading => reading.Lease is not null)
            .GroupBy(reading => (reading.Lease!.Boot, reading.Lease.Token))
            .Where(group => group.Count() + missing >= Majority(stores))
            .MaxBy(group => group.Key.Token);
        return new LeaseReading(
            held?.First().Lease,
            readings.Select(reading => reading.Release).FirstOrDefault(release => release is not null),
            readings.Max(reading => Math.Max(reading.HighestToken, reading.Lease?.Token ?? 0))
        )
        {
            Left = held?.Max(reading => reading.Left),
        };
    }

    /// <summary>The token to propose after a majority has been read.</summary>
    public static long NextToken(LeaseReading reading, long minToken) => Math.Max(reading.HighestToken, minToken) + 1;
}
