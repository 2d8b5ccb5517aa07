using System.Globalization;

namespace Galaxy.LocalHosting.Description;

/// <summary>
/// The environment variables that services are started with; the only place that knows which service gets which.
/// </summary>
public static class ServiceEnvironment
{
    public const string NodeId = "Galaxy_NODE_ID";
    public const string NodeRole = "Galaxy_NODE_ROLE";
    public const string ApiKey = "GALAXY_API_KEY";
    public const string Bind = "GALAXY_BIND";
    public const string Data = "GALAXY_DATA";
    public const string FailoverMode = "FAILOVER_MODE";
    public const string FailoverPrimary = "FAILOVER_PRIMARY";
    public const string MasterUrl = "MASTER_URL";

    /// <summary>The file with address and token of the API that starts and stops processes.</summary>
    public const string ControlFile = "GALAXY_RUNNER";

    /// <summary>Where the console receives telemetry, besides what <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names.</summary>
    public const string ConsoleTelemetry = "GALAXY_OTLP_ENDPOINT";

    /// <summary>The secret that the console's receiver asks for.</summary>
    public const string ConsoleTelemetryToken = "GALAXY_OTLP_TOKEN";

    /// <summary>The variables of a service in development; the key and the addresses of others come on top.</summary>
    /// <param name="nodeId">The name of the service, unique in the cluster.</param>
    /// <param name="dataFolder">The data folder of the whole system.</param>
    public static IEnumerable<(string Name, string Value)> InDevelopment(
        ServiceKind kind,
        string nodeId,
        string dataFolder,
        SystemLayout layout
    )
    {
        if (!kind.IsNode)
            yield break;
        yield return (NodeId, nodeId);
        yield return (Bind, "127.0.0.1");
        yield return (Data, Path.Combine(dataFolder, "nodes", nodeId));
        if (kind.Is(GalaxyServices.Coordinator))
        {
            yield return (NodeRole, layout.Coordinators.First(coordinator => coordinator.Name == nodeId).Role);
            yield return (FailoverPrimary, layout.Coordinators[0].Name);
        }
        if (kind.Is(GalaxyServices.Coordinator) || kind.Is(GalaxyServices.Gateway))
            yield return (FailoverMode, layout.FailoverMode);
        if (kind.Is(GalaxyServices.Console))
            yield return (ControlFile, Path.Combine(dataFolder, "runner.json"));
    }

    /// <summary>
    /// The interval of telemetry where a user watches: a failover is seen after a second, not after five.
    /// </summary>
    public static IReadOnlyList<(string Name, string Value)> TelemetryPace { get; } =
    [
        ("OTEL_BSP_SCHEDULE_DELAY", "1000"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "1000"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "30000"),
    ];

    /// <summary>The arguments of the embedded store.</summary>
    public static IReadOnlyList<string> StoreArguments(int port, string folder, string? bind = null) =>
        ["--port", Text(port), .. bind is null ? Array.Empty<string>() : ["--bind", bind], "--data", folder];

    /// <summary>
    /// The arguments of <c>redis-server</c> where it takes the embedded store's place (<c>--redis server</c>).
    /// </summary>
    public static IReadOnlyList<string> RedisServerArguments(int port, string folder) =>
        [
            "--bind",
            "127.0.0.1",
            "--port",
            Text(port),
            "--dir",
            folder,
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--save",
            "",
        ];

    public static IReadOnlyList<string> WorkerArguments(string name) => ["worker", "--id", name];

    /// <summary>Where a store of a development system keeps its data.</summary>
    public static string StoreFolder(string dataFolder, string store, bool isRedisServer) =>
        Path.Combine(
            dataFolder,
            store != SystemLayout.FirstStore ? store
                : isRedisServer ? "redis"
                : "store"
        );

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
