using Microsoft.AspNetCore.Http;

namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>The answers to callers that may not do what they asked for.</summary>
public static class Refusals
{
    /// <summary>
    /// 401 when the caller is unknown, 403 when it has another role, 503 when it cannot be identified yet.
    /// </summary>
    public static Task RefuseAsync(HttpContext context, Identified caller, AccessRole? needed) =>
        caller.IsUndecided
            ? WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "Service Unavailable", caller.Refusal!)
        : caller.IsKnown
            ? WriteAsync(
                context,
                StatusCodes.Status403Forbidden,
                "Forbidden",
                $"'{caller.Name}' has the role {caller.Role.Name()}; this needs {needed?.Name() ?? "another"}."
            )
        : WriteAsync(
            context,
            StatusCodes.Status401Unauthorized,
            "Unauthorized",
            caller.Refusal ?? "Send a key as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'."
        );

    private static Task WriteAsync(HttpContext context, int status, string title, string detail)
    {
        context.Response.StatusCode = status;
        if (status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"galaxy\"";
        if (status == StatusCodes.Status503ServiceUnavailable)
            context.Response.Headers.RetryAfter = "1";
        return context.Response.WriteAsJsonAsync(
            new
            {
                type = "about:blank",
                title,
                status,
                detail,
            },
            options: null,
            contentType: "application/problem+json"
        );
    }
}
