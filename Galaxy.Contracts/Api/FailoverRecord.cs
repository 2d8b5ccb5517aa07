namespace Galaxy.Contracts.Api;

/// <summary>One change of leader, as <c>GET /api/v1/failovers</c> lists it.</summary>
/// <param name="From">Null for the cluster's first leader.</param>
/// <param name="Reason"><c>first</c>, <c>crash</c>, <c>hang</c>, <c>partition</c>, <c>resigned</c>, <c>manual</c>,
/// <c>store</c> or <c>expired</c> (the lease ran out and no cause is known).</param>
/// <param name="Evidence">What the new leader saw, in words.</param>
/// <param name="DurationMs">From the first notice to the new leader serving.</param>
public sealed record FailoverRecord(
    string Id,
    string TraceId,
    string? From,
    string To,
    string Reason,
    string Evidence,
    long OldToken,
    long NewToken,
    DateTimeOffset StartedAt,
    DateTimeOffset CompletedAt,
    double DurationMs,
    IReadOnlyList<FailoverStep> Steps
);

/// <param name="OffsetMs">After the failover's start.</param>
public sealed record FailoverStep(string Name, double OffsetMs, double DurationMs);
