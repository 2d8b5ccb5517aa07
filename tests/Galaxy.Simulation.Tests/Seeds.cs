using System.Globalization;

namespace Galaxy.Simulation.Tests;

/// <summary>Which seeds to run: <c>GALAXY_SEEDS=10000</c> for the long run, <c>GALAXY_SEED=n</c> replays one.</summary>
internal static class Seeds
{
    /// <param name="usual">How many when nothing is said.</param>
    public static int[] Chosen(int usual) =>
        Number("GALAXY_SEED") is { } one ? [one] : [.. Enumerable.Range(0, Number("GALAXY_SEEDS") ?? usual)];

    /// <summary>How many seeds a deliberate bug has to hide in: <c>GALAXY_BUG_SEEDS</c>.</summary>
    public static int ForABug(int usual) => Number("GALAXY_BUG_SEEDS") ?? usual;

    /// <summary>Runs the seeds on all processors; fails with what led to the first violation.</summary>
    /// <param name="run">What went wrong with a seed; null: nothing.</param>
    public static void MustAllHold(int usual, Func<int, string?> run)
    {
        var failures = Chosen(usual)
            .AsParallel()
            .Select(seed => (Seed: seed, Problem: run(seed)))
            .Where(run => run.Problem is not null)
            .OrderBy(run => run.Seed)
            .ToList();
        Assert.True(
            failures.Count == 0,
            failures.Count == 0
                ? ""
                : $"{failures.Count} seeds fail. GALAXY_SEED={failures[0].Seed} replays:\n{failures[0].Problem}"
        );
    }

    /// <summary>Fails unless a seed shows the bug and is clean without it.</summary>
    public static void MustFind(string bug, int usual, Func<int, string?> withBug, Func<int, string?> without)
    {
        var most = Number("GALAXY_BUG_SEEDS") ?? usual;
        var found = Enumerable
            .Range(0, most)
            .FirstOrDefault(seed => withBug(seed) is not null && without(seed) is null, -1);
        Assert.True(found >= 0, $"{bug} was not found in {most} seeds");
        TestContext.Current.SendDiagnosticMessage($"{bug}: seed {found}");
    }

    /// <summary>How large a cluster to simulate where that is what a test is about: <c>GALAXY_NODES</c>.</summary>
    public static int Nodes(int usual) => Number("GALAXY_NODES") ?? usual;

    private static int? Number(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : null;
}
