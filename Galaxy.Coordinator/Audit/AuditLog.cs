using System.Globalization;
using Galaxy.Contracts.Api;
using Galaxy.Contracts.Cluster;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Clocks;
using Galaxy.ServiceDefaults.Audit;
using Galaxy.ServiceDefaults.Authentication;
using Google.Protobuf;

namespace Galaxy.Coordinator.Audit;

/// <summary>
/// The latest administrative acts, in replicated state: every surviving coordinator knows what was done. Also records
/// this coordinator's own acts. Thread-safe.
/// </summary>
internal sealed partial class AuditLog(
    AuditTrail trail,
    ReplicatedState replica,
    Quarantine quarantine,
    ILogger<AuditLog> log
) : BackgroundService
{
    /// <summary>Older ones go.</summary>
    public const int Kept = 2000;

    private const int Slack = 100;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var note in trail.ReadAllAsync(stoppingToken))
        {
            try
            {
                Add(note);
            }
            catch (Exception failure)
            {
                LogLost(failure, note.What);
            }
        }
    }

    public void Add(AuditEntry note)
    {
        // Sorts by time; two acts of one millisecond are both kept.
        var key = string.Create(
            CultureInfo.InvariantCulture,
            $"{note.AtUnixMs:x11}-{Guid.NewGuid().ToString("N")[..8]}"
        );
        replica.Put(Namespaces.Audit, key, note.ToByteArray());
        var all = replica.List(Namespaces.Audit);
        if (all.Count < Kept + Slack)
            return;
        foreach (var old in all.Take(all.Count - Kept))
            replica.Delete(Namespaces.Audit, old.Key);
    }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<AuditView> Read(int limit) =>
        [
            .. replica
                .List(Namespaces.Audit)
                .Reverse()
                .Take(limit)
                .Select(entry => quarantine.Parse(entry, AuditEntry.Parser))
                .OfType<AuditEntry>()
                .Select(note => new AuditView(
                    UnixTime.At(note.AtUnixMs),
                    note.Who,
                    note.Role,
                    note.What,
                    note.From,
                    note.Status,
                    note.Service,
                    note.Trace.Length == 0 ? null : note.Trace
                )),
        ];

    [LoggerMessage(Level = LogLevel.Error, Message = "The audit note '{What}' could not be kept")]
    private partial void LogLost(Exception failure, string what);
}

/// <summary><c>GET /api/v1/audit</c>.</summary>
internal static class AuditApi
{
    public static void MapAuditApi(this IEndpointRouteBuilder endpoints) =>
        endpoints
            .MapGet("/api/v1/audit", (AuditLog audit, int? limit) =>
                limit is < 1 or > AuditLog.Kept
                    ? Results.Problem($"'limit' is {limit}; allowed is 1 to {AuditLog.Kept}.", statusCode: 400)
                    : Results.Ok(audit.Read(limit ?? 100))
            )
            .Needs(AccessRole.Operator, reads: true)
            .WithTags("Access")
            .Produces<IReadOnlyList<AuditView>>()
            .WithSummary("Administrative acts, newest first: who, what, from where, and how it ended");
}
