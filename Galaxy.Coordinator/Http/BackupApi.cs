using System.Globalization;
using Galaxy.Coordinator.Backup;
using Galaxy.Coordinator.State;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;

namespace Galaxy.Coordinator.Http;

/// <summary>Everything of the cluster in one sealed file, and back.</summary>
internal static class BackupApi
{
    private const long MostBytes = 1024L * 1024 * 1024;

    /// <summary>The key that a backup was made under, where it is another than the cluster's.</summary>
    private const string OldKeyHeader = "X-Galaxy-Old-Key";

    public static void MapBackupApi(this IEndpointRouteBuilder endpoints)
    {
        var backup = endpoints.MapGroup("/api/v1/backup");
        backup.ExplainStateErrors();
        backup
            .MapGet("", async (Backups backups, TimeProvider time) =>
                Results.File(
                    await backups.TakeAsync(),
                    "application/octet-stream",
                    string.Create(CultureInfo.InvariantCulture, $"galaxy-{time.GetUtcNow():yyyyMMdd-HHmmss}.gxb")
                )
            )
            .Produces(200, contentType: "application/octet-stream")
            .ProducesProblem(503)
            .WithSummary("State, configuration, tasks and keys in one file, sealed under the cluster's key")
            .RequireLeader();
        backup
            .MapPost("/restore", RestoreAsync)
            .Accepts<Stream>("application/octet-stream")
            .Produces<BackupRestored>()
            .ProducesProblem(400)
            .ProducesProblem(409)
            .WithMetadata(new SizeLimit())
            .WithSummary("Make an empty cluster of a backup; a damaged one is refused whole")
            .RequireLeader();
    }

    private static async Task<IResult> RestoreAsync(
        HttpRequest request,
        [FromHeader(Name = OldKeyHeader)] string? oldKey,
        Backups backups,
        CancellationToken cancellation
    )
    {
        using var file = new MemoryStream();
        await request.Body.CopyToAsync(file, cancellation);
        return Results.Ok(await backups.RestoreAsync(file.GetBuffer().AsMemory(0, (int)file.Length), oldKey));
    }

    private sealed class SizeLimit : IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => MostBytes;
    }
}
