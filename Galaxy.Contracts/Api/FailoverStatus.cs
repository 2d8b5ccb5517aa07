namespace Galaxy.Contracts.Api;

/// <summary>How leadership moves: replicated to every coordinator.</summary>
public sealed record FailoverSettings
{
    /// <summary>The first candidate; null: no node is preferred.</summary>
    public string? Primary { get; init; }

    /// <summary>The next candidates, in this order.</summary>
    public IReadOnlyList<string> Secondaries { get; init; } = [];

    /// <summary>A node that failed and recovered becomes the last secondary.</summary>
    public bool EnableAutoRecovery { get; init; } = true;

    /// <summary>So long must a failed node have been alive without a break to count as recovered.</summary>
    public double RecoveryTimeoutSeconds { get; init; } = 60;

    /// <summary>The primary gets leadership back when it has recovered.</summary>
    public bool AutoFailback { get; init; }

    /// <summary>So many successors are tried in one hand-over.</summary>
    public int MaxFailoverAttempts { get; init; } = 3;

    /// <summary>The interval of health checks that name none.</summary>
    public double HealthCheckIntervalSeconds { get; init; } = 10;

    /// <summary>Take no leadership, and give it up when another can have it: for maintenance.</summary>
    public IReadOnlyList<string> Drained { get; init; } = [];

    public IReadOnlyList<HealthCheckerSettings> Checkers { get; init; } = [];
}

/// <summary>A check that a coordinator must pass to campaign for leadership and to keep it.</summary>
/// <param name="Kind"><c>http</c>, <c>tcp</c>, <c>grpc</c>, <c>redis</c> or <c>command</c>.</param>
/// <param name="Target">An address; for <c>command</c> a program with arguments.</param>
/// <param name="NodeId">The coordinator that checks; null: every one does.</param>
/// <param name="Threshold">So many failures in a row make it unhealthy.</param>
public sealed record HealthCheckerSettings(
    string Name,
    string Kind,
    string Target,
    string? NodeId = null,
    double? IntervalSeconds = null,
    double TimeoutSeconds = 2,
    int Threshold = 3
);

/// <summary><c>GET /api/v1/failover</c>.</summary>
/// <param name="Order">The candidates for leadership, in order, as the answering coordinator sees it.</param>
/// <param name="Checks">The answering coordinator's own.</param>
/// <param name="Breakers">The answering coordinator's, by peer.</param>
public sealed record FailoverStatus(
    string NodeId,
    LeaderResponse? Leader,
    string Mode,
    FailoverSettings Settings,
    IReadOnlyList<string> Order,
    IReadOnlyList<FailedNode> Failed,
    IReadOnlyList<string> Demoted,
    IReadOnlyList<HealthCheckStatus> Checks,
    IReadOnlyDictionary<string, string> Breakers,
    IReadOnlyList<int> StoresBehind
);

/// <summary>A node that lost the lease without giving it up and has not recovered.</summary>
public sealed record FailedNode(string NodeId, string Reason, DateTimeOffset At);

/// <param name="Healthy">False after <see cref="HealthCheckerSettings.Threshold"/> failures in a row.</param>
/// <param name="LastError">Null when the last run passed.</param>
public sealed record HealthCheckStatus(
    string Name,
    bool Healthy,
    int FailuresInARow,
    string? LastError,
    DateTimeOffset? LastRun
);
