using Galaxy.OneApi.Dialects;
using Galaxy.ServiceDefaults.Authentication;

namespace Galaxy.OneApi.Governance;

/// <summary>
/// Identifies the caller of a request: by a key with a role, or by a key for models only. Thread-safe.
/// </summary>
internal sealed class Callers(CallerIdentifier callers, KeyStore keys, TimeProvider time)
{
    /// <exception cref="RefusedException">The key is unknown, may not be used, or cannot be checked now.</exception>
    public async ValueTask<Caller> IdentifyAsync(HttpRequest request)
    {
        var presented = Presented(request);
        if (presented?.StartsWith(VirtualKey.Prefix, StringComparison.Ordinal) != true)
        {
            var caller = callers.Identify(request);
            if (caller.IsUndecided)
                throw new RefusedException(
                    new ModelError(ErrorKind.Unavailable, caller.Refusal!, RetryAfter: TimeSpan.FromSeconds(1))
                );
            if (!caller.IsKnown)
                throw Refused(caller.Refusal ?? "Send a key as 'Authorization: Bearer <key>' or 'x-api-key: <key>'.");
            return caller.May(AccessRole.Client, reads: HttpMethods.IsGet(request.Method))
                ? Caller.Cluster
                : throw new RefusedException(
                    new ModelError(
                        ErrorKind.Permission,
                        $"'{caller.Name}' has the role {caller.Role.Name()}; models need client."
                    )
                );
        }
        VirtualKey? key;
        try
        {
            key = await keys.FindBySecretAsync(presented);
        }
        catch (StoreMissingException missing)
        {
            throw new RefusedException(missing.Error);
        }
        if (key is null)
            throw Refused("The API key is wrong.");
        if (key.Disabled)
            throw Refused($"The key '{key.Name}' has been disabled.");
        if (key.Expires <= time.GetUtcNow())
            throw Refused($"The key '{key.Name}' expired on {key.Expires:yyyy-MM-dd HH:mm} UTC.");
        return new Caller(key.Id, key);
    }

    private static string? Presented(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return authorization["Bearer ".Length..].Trim();
        return request.Headers["x-api-key"].ToString() is { Length: > 0 } key ? key : null;
    }

    private static RefusedException Refused(string message) => new(new ModelError(ErrorKind.Authentication, message));
}
