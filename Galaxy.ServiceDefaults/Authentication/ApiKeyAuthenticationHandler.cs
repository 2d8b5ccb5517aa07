using System.Collections.Concurrent;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>Authentication of the framework by <see cref="CallerIdentifier"/>: name and role become claims.</summary>
public sealed class ApiKeyAuthenticationHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, CallerIdentifier callers)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "ApiKey";

    private const string ServiceClaim = "galaxy:service";
    private const int MostKnown = 10_000;

    // One for everybody of the same name and role: a handler is made for each request, its answers are not.
    private static readonly ConcurrentDictionary<Identified, Task<AuthenticateResult>> Known = new();
    private static readonly Task<AuthenticateResult> Nobody = Task.FromResult(AuthenticateResult.NoResult());

    private string? _refusal;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var caller = callers.Identify(Request);
        if (caller.IsKnown)
            return Known.TryGetValue(caller, out var known) ? known : Remember(caller);
        _refusal = caller.Refusal;
        return _refusal is null ? Nobody : Task.FromResult(AuthenticateResult.Fail(_refusal));
    }

    private static Task<AuthenticateResult> Remember(Identified caller)
    {
        if (Known.Count > MostKnown)
            Known.Clear();
        return Known[caller] = Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(Principal(caller, SchemeName), SchemeName)));
    }

    /// <summary>Somebody as the framework knows people.</summary>
    public static ClaimsPrincipal Principal(Identified caller, string scheme)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, caller.Name), new Claim(ClaimTypes.NameIdentifier, caller.Name), new Claim(ClaimTypes.Role, caller.Role.Name())], scheme);
        if (caller.IsService)
            identity.AddClaim(new Claim(ServiceClaim, "true"));
        return new ClaimsPrincipal(identity);
    }

    /// <summary>The role of an authenticated user; <see cref="AccessRole.Member"/> when there is none.</summary>
    public static AccessRole RoleOf(ClaimsPrincipal user) => AccessRoles.Parse(user.FindFirstValue(ClaimTypes.Role)) ?? AccessRole.Member;

    /// <summary>Another service vouches for this user.</summary>
    public static bool IsService(ClaimsPrincipal user) => user.HasClaim(ServiceClaim, "true");

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => RefuseAsync(
        StatusCodes.Status401Unauthorized, "Unauthorized", _refusal ?? "Send a key as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'.");

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => RefuseAsync(
        StatusCodes.Status403Forbidden, "Forbidden",
        $"'{Context.User.Identity?.Name}' has the role {RoleOf(Context.User).Name()}; this needs {RequiredRole.Of(Context)?.Role.Name() ?? "another"}.");

    private Task RefuseAsync(int status, string title, string detail)
    {
        Response.StatusCode = status;
        if (status == StatusCodes.Status401Unauthorized)
            Response.Headers.WWWAuthenticate = "Bearer realm=\"galaxy\"";
        return Response.WriteAsJsonAsync(new { type = "about:blank", title, status, detail }, options: null, contentType: "application/problem+json");
    }
}
