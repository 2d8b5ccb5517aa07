using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Galaxy.AppHost;

/// <summary>Which nodes make up the run: the three scenarios of the report.</summary>
internal sealed record Scenario(
    IReadOnlyList<string> Stores,
    IReadOnlyList<(string Name, string Role)> Coordinators,
    IReadOnlyList<string> Routers,
    IReadOnlyList<string> OneApis,
    IReadOnlyList<string> Workers,
    string FailoverMode,
    IConfiguration Configuration)
{
    public static Scenario Read(IConfiguration configuration)
    {
        IReadOnlyList<string> workers = configuration["no-workers"] == "true" ? [] : ["worker-1", "worker-2"];
        IReadOnlyList<string> stores = (configuration["stores"] ?? "1") switch
        {
            "1" => ["redis"],
            "3" => ["redis", "redis-2", "redis-3"],
            "5" => ["redis", "redis-2", "redis-3", "redis-4", "redis-5"],
            var other => RefuseStores($"--stores is '{other}'. Allowed: 1, 3, 5."),
        };
        return (configuration["scenario"] ?? "multi-master") switch
        {
            "cloud" => new Scenario(stores, [("coordinator-cloud", "coordinator")], ["router-a"], ["oneapi-a"], workers, "active-passive", configuration),
            "active-passive" => new Scenario(
                stores, [("coordinator-local", "coordinator"), ("coordinator-cloud", "standby")], ["router-a"], ["oneapi-a"], workers, "active-passive", configuration),
            "multi-master" => new Scenario(
                stores, [("coordinator-a", "coordinator"), ("coordinator-b", "coordinator"), ("coordinator-c", "coordinator")],
                ["router-a", "router-b"], ["oneapi-a", "oneapi-b"], workers, "multi-master", configuration),
            var other => Refuse($"--scenario is '{other}'. Allowed: cloud, active-passive, multi-master."),
        };
    }

    /// <summary>A fixed port; 0 in the settings means any free one.</summary>
    public int? Port(string key, int fallback)
    {
        if (Configuration[key] is not { Length: > 0 } text)
            return fallback;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > 65535)
            Refuse($"{key} is '{text}'. Allowed: a port, 0 to 65535.");
        return port == 0 ? null : port;
    }

    private static IReadOnlyList<string> RefuseStores(string message) => Refuse(message).Stores;

    private static Scenario Refuse(string message)
    {
        Console.Error.WriteLine("error: " + message);
        Environment.Exit(2);
        throw new InvalidOperationException(message);
    }
}
