using System.Globalization;

namespace Galaxy.Simulation.Tests;

/// <summary>Which seeds to run: <c>GALAXY_SEEDS=10000</c> for the long run, <c>GALAXY_SEED=n</c> replays one.</summary>
internal static class Seeds
{
    /// <param name="usual">How many when nothing is said.</param>
    public static int[] Chosen(int usual) => Number("GALAXY_SEED") is { } one ? [one] : [.. Enumerable.Range(0, Number("GALAXY_SEEDS") ?? usual)];

    private static int? Number(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
