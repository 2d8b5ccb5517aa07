using Galaxy.Contracts.Api;

namespace Galaxy.Coordinator.Failover;

/// <summary>What the settings of failover may be, whether they come from a request or from the store.</summary>
internal static class FailoverLimits
{
    public const int MaxSecondaries = 64;
    public const int MaxCheckers = 64;

    /// <summary>Null: nothing is wrong.</summary>
    public static string? Complaint(FailoverSettings settings) =>
        OutOfRange("recovery_timeout_seconds", settings.RecoveryTimeoutSeconds, 0, 86_400)
        ?? OutOfRange("max_failover_attempts", settings.MaxFailoverAttempts, 1, 20)
        ?? OutOfRange("health_check_interval_seconds", settings.HealthCheckIntervalSeconds, 0.1, 3600)
        ?? (
            settings.Checkers.DistinctBy(checker => checker.Name).Count() != settings.Checkers.Count
                ? "'checkers' has a name twice."
                : null
        )
        ?? settings.Checkers.Select(HealthChecks.Complaint).FirstOrDefault(complaint => complaint is not null);

    /// <summary>The settings, if they can be used.</summary>
    /// <exception cref="FormatException">They cannot.</exception>
    public static FailoverSettings Checked(FailoverSettings settings) =>
        Complaint(settings) is { } complaint ? throw new FormatException(complaint) : settings;

    private static string? OutOfRange(string field, double value, double least, double most) =>
        value >= least && value <= most
            ? null
            : $"'{field}' is {value:0.###}; allowed are {least:0.###} to {most:0.###}.";
}
