using System.Globalization;

namespace Galaxy.Simulation.Tests;

/// <summary>Which seeds to run: <c>GALAXY_SEEDS=10000</c> for the long run, <c>GALAXY_SEED=n</c> replays one.</summary>
internal static class Seeds
{
    /// <param name="usual">How many when nothing is said.</param>
    public static int[] Chosen(int usual) => Number("GALAXY_SEED") is { } one ? [one] : [.. Enumerable.Range(0, Number("GALAXY_SEEDS") ?? usual)];

    /// <summary>How many seeds a deliberate bug has to hide in: <c>GALAXY_BUG_SEEDS</c>.</summary>
    public static int ForABug(int usual) => Number("GALAXY_BUG_SEEDS") ?? usual;

    /// <summary>How large a cluster to simulate where that is what a test is about: <c>GALAXY_NODES</c>.</summary>
    public static int Nodes(int usual) => Number("GALAXY_NODES") ?? usual;

    private static int? Number(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
