namespace Galaxy.LocalHosting.Description;

/// <summary>
/// Which services make up a development system: one of the three scenarios, with one, three or five stores.
/// </summary>
public sealed record SystemLayout(
    IReadOnlyList<string> Stores,
    IReadOnlyList<(string Name, string Role)> Coordinators,
    IReadOnlyList<string> Routers,
    IReadOnlyList<string> OneApis,
    IReadOnlyList<string> Workers,
    string FailoverMode
)
{
    public const string FirstStore = "redis";

    public static IReadOnlyList<string> Scenarios { get; } = ["cloud", "active-passive", "multi-master"];

    public static IReadOnlyList<int> StoreCounts { get; } = [1, 3, 5];

    /// <param name="scenario">One of <see cref="Scenarios"/>.</param>
    /// <param name="stores">One of <see cref="StoreCounts"/>.</param>
    public static SystemLayout Of(string scenario, int stores, bool withWorkers)
    {
        IReadOnlyList<string> names = [FirstStore, .. Enumerable.Range(2, stores - 1).Select(i => $"{FirstStore}-{i}")];
        IReadOnlyList<string> workers = withWorkers ? ["worker-1", "worker-2"] : [];
        return scenario switch
        {
            "cloud" => new(
                names,
                [("coordinator-cloud", "coordinator")],
                ["router-a"],
                ["oneapi-a"],
                workers,
                "active-passive"
            ),
            "active-passive" => new(
                names,
                [("coordinator-local", "coordinator"), ("coordinator-cloud", "standby")],
                ["router-a"],
                ["oneapi-a"],
                workers,
                "active-passive"
            ),
            "multi-master" => new(
                names,
                [("coordinator-a", "coordinator"), ("coordinator-b", "coordinator"), ("coordinator-c", "coordinator")],
                ["router-a", "router-b"],
                ["oneapi-a", "oneapi-b"],
                workers,
                "multi-master"
            ),
            _ => throw new ArgumentOutOfRangeException(nameof(scenario), scenario, "No scenario has this name."),
        };
    }
}
