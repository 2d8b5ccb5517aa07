using System.Collections.Concurrent;
using System.Security.Claims;

namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>
/// Callers as principals of the framework: one object for all callers of the same name and role. Thread-safe.
/// </summary>
public static class Principals
{
    private const string ServiceClaim = "galaxy:service";
    private const int MostKnown = 10_000;

    private static readonly ConcurrentDictionary<Identified, ClaimsPrincipal> Known = new();

    public static ClaimsPrincipal Of(Identified caller)
    {
        if (Known.TryGetValue(caller, out var known))
            return known;
        if (Known.Count > MostKnown)
            Known.Clear();
        return Known[caller] = Make(caller, ApiKeyAuthenticationHandler.SchemeName);
    }

    /// <summary>A new one for a scheme.</summary>
    public static ClaimsPrincipal Make(Identified caller, string scheme)
    {
        var identity = new ClaimsIdentity(
            [
                new Claim(ClaimTypes.Name, caller.Name),
                new Claim(ClaimTypes.NameIdentifier, caller.Name),
                new Claim(ClaimTypes.Role, caller.Role.Name()),
            ],
            scheme
        );
        if (caller.IsService)
            identity.AddClaim(new Claim(ServiceClaim, "true"));
        return new ClaimsPrincipal(identity);
    }

    /// <summary>The role of an authenticated user; <see cref="AccessRole.Member"/> when there is none.</summary>
    public static AccessRole RoleOf(ClaimsPrincipal user) =>
        AccessRoles.Parse(user.FindFirst(ClaimTypes.Role)?.Value) ?? AccessRole.Member;

    /// <summary>Another service vouches for this user.</summary>
    public static bool IsService(ClaimsPrincipal user) => user.HasClaim(ServiceClaim, "true");
}
