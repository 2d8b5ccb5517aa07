namespace Galaxy.EndToEnd.Tests.Input;

/// <summary>Signs in the output of the processes that data has met a defect.</summary>
internal static class Health
{
    private static readonly string[] Signs =
    [
        "after an error",
        "with an error",
        "could not be handled",
        "fail: BadRequests",
    ];

    /// <summary>Lines of any process that tell of one, with its name.</summary>
    public static IReadOnlyList<string> DefectsOf(RunningGalaxy galaxy) =>
        [
            .. galaxy
                .Host.Names.SelectMany(name => galaxy.Host.Output(name).Select(line => $"{name}: {line}"))
                .Where(line => Signs.Any(sign => line.Contains(sign, StringComparison.Ordinal))),
        ];
}
