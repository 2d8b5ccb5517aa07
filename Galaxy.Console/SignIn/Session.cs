using System.Globalization;
using System.Security.Claims;
using Galaxy.ServiceDefaults.Authentication;

namespace Galaxy.Console.SignIn;

/// <summary>The validity of a session: it ends at its time, and with the key that it was opened with.</summary>
internal sealed class Session(IAccessDirectory keys, TimeProvider time)
{
    private const string UntilClaim = "galaxy:until",
        KeyClaim = "galaxy:key";

    /// <param name="keyId">Of a key that was given out; null: it was the cluster's own, or a link.</param>
    public static ClaimsPrincipal Open(Identified caller, string? keyId, string scheme, DateTimeOffset until)
    {
        var person = Principals.Make(caller, scheme);
        var identity = (ClaimsIdentity)person.Identity!;
        identity.AddClaim(new Claim(UntilClaim, until.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)));
        if (keyId is not null)
            identity.AddClaim(new Claim(KeyClaim, keyId));
        return person;
    }

    /// <summary>
    /// Whether the session is still valid. A user that did not sign in (a key in the request, or development without a
    /// key) needs no session.
    /// </summary>
    public bool IsValid(ClaimsPrincipal person)
    {
        if (person.FindFirst(UntilClaim) is not { } until)
            return true;
        if (
            !long.TryParse(until.Value, CultureInfo.InvariantCulture, out var ms)
            || ms <= time.GetUtcNow().ToUnixTimeMilliseconds()
        )
            return false;
        if (person.FindFirst(KeyClaim)?.Value is not { } id)
            return true;
        // While the list of keys is incomplete, a missing key does not mean that the key was withdrawn.
        if (!keys.IsComplete && keys.Find(id) is null)
            return true;
        return keys.Find(id) is { } key
            && !(key.Expires <= time.GetUtcNow())
            && AccessRoles.Parse(key.Role) == Principals.RoleOf(person);
    }
}
