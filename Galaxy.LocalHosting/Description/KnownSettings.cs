namespace Galaxy.LocalHosting.Description;

/// <summary>The settings of docs/operations.md that a development system passes on to its services.</summary>
public static class KnownSettings
{
    /// <summary>The keys of model providers.</summary>
    public static IReadOnlyList<string> ProviderKeys { get; } =
    ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY", "GROQ_API_KEY"];

    // The ports of single services, the stores and the role of a node follow from the layout; they cannot be given for
    // all.
    public static IReadOnlyList<string> All { get; } =
    [
        .. GalaxyServices.PublicPorts.Keys,
        "Galaxy_CLUSTER",
        "GALAXY_API_KEY",
        "GALAXY_API_KEY_ALSO",
        "GALAXY_DATA",
        "GALAXY_LEASE",
        "GALAXY_COMMAND_CHECKS",
        "GALAXY_SESSION_MINUTES",
        "GALAXY_TLS",
        "GALAXY_TLS_CERT",
        "GALAXY_TLS_KEY",
        "TLS_PORT",
        "FAILOVER_SECONDARIES",
        "FAILOVER_AUTO_FAILBACK",
        "NODE71_MDNS_ENABLED",
        "NODE71_UPNP_ENABLED",
        "NODE71_BROADCAST_ENABLED",
        "NODE71_BROADCAST_PORT",
        "NODE71_CB_FAILURE_THRESHOLD",
        "NODE71_CB_TIMEOUT",
        "Galaxy_SEEDS",
        "DASHBOARD_PORT",
        .. ProviderKeys,
        "LOCAL_LLM_URL",
        "OLLAMA_HOST",
        "ONEAPI_MAX_BODY_MB",
        "SEARCH_URL",
        "WEATHER_URL",
        "GEOCODING_URL",
        "VIDEO_URL",
        "VIDEO_API_KEY",
    ];

    /// <summary>The spelling of the documents, whatever the case; null: no service reads it.</summary>
    public static string? Canonical(string name) =>
        All.FirstOrDefault(setting => string.Equals(setting, name, StringComparison.OrdinalIgnoreCase));
}
