using System.Net;
using Galaxy.Gateway.Settings;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Options;

namespace Galaxy.Gateway.Security;

/// <summary>
/// Keeps web pages of other sites from using what a browser sends by itself: the console's cookie, or the access from
/// the same machine, which needs no key. A request that carries a key explicitly does not come from such a page, unless
/// the page's origin is not allowed and the browser asks first (CORS).
/// </summary>
internal sealed class CrossSite(IOptionsMonitor<GatewayOptions> options, NodeOptions node)
{
    private const string AllowedHeaders =
        "authorization, x-api-key, content-type, idempotency-key, if-match, if-none-match, last-event-id, "
        + "anthropic-version, anthropic-beta";

    /// <summary>True when the request may go on; otherwise it was answered.</summary>
    public async ValueTask<bool> AdmitAsync(HttpContext context)
    {
        var request = context.Request;
        // A foreign DNS name that points to this machine (rebinding) makes the foreign page's origin look like the
        // gateway's.
        if (node.ApiKey is null && !IsThisMachine(request.Host.Host))
            return await RefuseAsync(
                context,
                $"Without a key this gateway answers to localhost only, not to '{request.Host.Host}'."
            );
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0)
            return true;
        if (IsOwn(origin, request))
            return true;
        if (options.CurrentValue.AllowedOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase))
            return Allow(context, origin);
        var socket = CallerIdentifier.IsSocketUpgrade(request);
        if (
            HttpMethods.IsOptions(request.Method)
            || ((HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) && !socket)
            || (node.ApiKey is not null && CallerIdentifier.IsPresented(request))
        )
            // The browser keeps the answer from the page: nothing here says that it may have it.
            return !HttpMethods.IsOptions(request.Method) || await RefuseAsync(context, Detail(origin));
        return await RefuseAsync(context, Detail(origin));
    }

    private static string Detail(string origin) =>
        $"Pages of '{(origin.Length > 100 ? origin[..100] : origin)}' may not use this gateway: add it to "
        + "'allowed_origins' of config/gateway if they should.";

    private static async ValueTask<bool> RefuseAsync(HttpContext context, string detail)
    {
        await Results.Problem(detail, statusCode: 403, title: "Cross-site request").ExecuteAsync(context);
        return false;
    }

    private static bool Allow(HttpContext context, string origin)
    {
        var headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = origin;
        headers.Vary = "Origin";
        if (
            !HttpMethods.IsOptions(context.Request.Method)
            || !context.Request.Headers.ContainsKey("Access-Control-Request-Method")
        )
            return true;
        headers.AccessControlAllowMethods = "GET, HEAD, POST, PUT, PATCH, DELETE";
        headers.AccessControlAllowHeaders = AllowedHeaders;
        headers.AccessControlMaxAge = "600";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return false;
    }

    // By host and port: behind a proxy that ends TLS the scheme differs.
    private static bool IsOwn(string origin, HttpRequest request) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && string.Equals(
            uri.IsDefaultPort ? uri.Host : uri.Authority,
            WithoutDefaultPort(request.Host),
            StringComparison.OrdinalIgnoreCase
        );

    private static string WithoutDefaultPort(HostString host) => host.Port is 80 or 443 ? host.Host : host.Value ?? "";

    private static bool IsThisMachine(string host) =>
        host.Length == 0
        || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
