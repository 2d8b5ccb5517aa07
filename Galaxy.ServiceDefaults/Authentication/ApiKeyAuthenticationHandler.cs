using System.Security.Claims;
using System.Text.Encodings.Web;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>
/// Lets in who presents the cluster's key: <c>Authorization: Bearer</c>, <c>X-API-Key</c>, or <c>?token=</c> on WebSocket
/// upgrades only (browsers cannot set headers there). With no key configured, which only loopback allows, everyone is in.
/// </summary>
public sealed class ApiKeyAuthenticationHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, NodeOptions node)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "ApiKey";

    // One for everybody who has the key: a handler is made for each request, its answers are not.
    private static readonly Task<AuthenticateResult> Nobody = Task.FromResult(AuthenticateResult.NoResult());
    private static readonly Task<AuthenticateResult> Wrong = Task.FromResult(AuthenticateResult.Fail("The API key is wrong."));
    private static readonly Task<AuthenticateResult> Development = Task.FromResult(Success("development"));
    private static readonly Task<AuthenticateResult> KeyHolder = Task.FromResult(Success("key"));

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (node.ApiKeyFingerprint is null)
            return Development;
        if (!IsPresented(Request))
            return Nobody;
        return IsAllowed(Request, node) ? KeyHolder : Wrong;
    }

    /// <summary>Whether the request shows the right key: the same answer as authentication gives, for hot paths that answer before it.</summary>
    public static bool IsAllowed(HttpRequest request, NodeOptions node) =>
        node.ApiKeyFingerprint is not { } fingerprint || (PresentedBy(request) is { IsEmpty: false } presented && ApiKey.Matches(presented.Span, fingerprint));

    /// <summary>Whether the request shows a key, right or wrong.</summary>
    public static bool IsPresented(HttpRequest request) => !PresentedBy(request).IsEmpty;

    private static ReadOnlyMemory<char> PresentedBy(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return authorization.AsMemory("Bearer ".Length).Trim();
        if (request.Headers["X-API-Key"].ToString() is { Length: > 0 } header)
            return header.AsMemory();
        return IsSocketUpgrade(request) ? request.Query["token"].ToString().AsMemory() : default;
    }

    // Not Context.WebSockets: a proxy forwards upgrades without the middleware behind that. HTTP/2 upgrades by CONNECT (RFC 8441).
    private static bool IsSocketUpgrade(HttpRequest request) =>
        request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase)
        || request.HttpContext.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true, Protocol: "websocket" };

    private static AuthenticateResult Success(string how)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, how), new Claim(ClaimTypes.NameIdentifier, how), new Claim(ClaimTypes.Role, "admin")], SchemeName);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = "Bearer realm=\"galaxy\"";
        return Response.WriteAsJsonAsync(new
        {
            type = "about:blank",
            title = "Unauthorized",
            status = 401,
            detail = "Send the cluster's API key as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'.",
        }, options: null, contentType: "application/problem+json");
    }
}
