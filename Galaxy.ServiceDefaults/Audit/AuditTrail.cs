using System.Diagnostics;
using System.Threading.Channels;
using Galaxy.Contracts.Cluster;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Galaxy.ServiceDefaults.Audit;

/// <summary>
/// Notes each administrative act: a request to change something at an endpoint that needs an operator or an admin, done
/// or refused, with the caller, what it did, from where, and how it ended. <c>AuditReporter</c> sends the notes to the
/// coordinators, which keep them. Thread-safe.
/// </summary>
public sealed class AuditTrail(NodeOptions node, TimeProvider time)
{
    private const int Most = 1000;
    private const int LongestWhat = 300;

    // While the notes cannot be sent, the oldest are dropped: thousands of acts may be refused.
    private readonly Channel<AuditEntry> _notes = Channel.CreateBounded<AuditEntry>(
        new BoundedChannelOptions(Most) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }
    );

    /// <summary>The notes, for one reader.</summary>
    public IAsyncEnumerable<AuditEntry> ReadAllAsync(CancellationToken cancellation) =>
        _notes.Reader.ReadAllAsync(cancellation);

    internal void Note(HttpContext context, int status)
    {
        if (
            RequiredRole.Of(context) is not { Role: AccessRole.Operator or AccessRole.Admin }
            || HttpMethods.IsGet(context.Request.Method)
            || HttpMethods.IsHead(context.Request.Method)
            || context.User.Identity?.Name is not { Length: > 0 } who
        )
            return;
        Note(
            who,
            Principals.RoleOf(context.User),
            $"{context.Request.Method} {context.Request.Path}",
            ClientAddress.Of(context),
            status
        );
    }

    /// <summary>An act that was no request, such as that of a page.</summary>
    /// <param name="what">As a request would have said it: method and path.</param>
    /// <param name="from">The client's address, or where else it came from.</param>
    /// <param name="status">As a request would have ended.</param>
    public void Note(string who, AccessRole role, string what, string from, int status) =>
        _notes.Writer.TryWrite(
            new AuditEntry
            {
                AtUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
                Who = who,
                Role = role.Name(),
                What = what.Length > LongestWhat ? what[..LongestWhat] : what,
                From = from,
                Status = status,
                Service = node.NodeId,
                Trace = Activity.Current?.TraceId.ToString() ?? "",
            }
        );
}

/// <summary>Where a request came from.</summary>
public static class ClientAddress
{
    /// <summary>
    /// The address that a gateway of the cluster reports; otherwise the remote end of the connection.
    /// </summary>
    public static string Of(HttpContext context) =>
        Principals.IsService(context.User)
        && context.Request.Headers["X-Forwarded-For"].ToString() is { Length: > 0 and <= 200 } client
            ? client
            : context.Connection.RemoteIpAddress?.ToString() ?? "unknown";
}

/// <summary>Puts the trail into the pipeline.</summary>
public static class AuditExtensions
{
    internal static void UseAudit(this WebApplication app)
    {
        var trail = app.Services.GetRequiredService<AuditTrail>();
        app.Use(
            async (context, next) =>
            {
                var status = StatusCodes.Status500InternalServerError;
                try
                {
                    await next(context);
                    status = context.Response.StatusCode;
                }
                catch (BadHttpRequestException bad)
                {
                    // Answered further out, where no note is taken.
                    status = bad.StatusCode;
                    throw;
                }
                finally
                {
                    trail.Note(context, status);
                }
            }
        );
    }
}
