using System.Text.Json.Serialization;

namespace Galaxy.Coordinator.Failover;

/// <summary><c>PUT /api/v1/failover/settings</c>: what is absent stays as it is.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record FailoverSettingsChange(
    bool? EnableAutoRecovery,
    double? RecoveryTimeoutSeconds,
    bool? AutoFailback,
    int? MaxFailoverAttempts,
    double? HealthCheckIntervalSeconds
);
