using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>The identity of a caller, by the key or token that it showed.</summary>
/// <param name="Name">For logs and the audit; empty when the caller was not identified.</param>
/// <param name="Refusal">Why the key or token is refused; null: it was accepted, or none was shown.</param>
/// <param name="IsService">Another service vouches for the caller: the client's address that it reports may be
/// trusted.</param>
public readonly record struct Identified(string Name, AccessRole Role, string? Refusal, bool IsService = false)
{
    /// <summary>
    /// The key cannot be checked yet. The caller should try again; this does not count as a wrong key.
    /// </summary>
    public bool IsUndecided { get; init; }

    /// <summary>
    /// The caller showed an access key that this node does not know: it may have been created a moment ago.
    /// </summary>
    public bool MayBeNew { get; init; }

    public bool IsKnown => !string.IsNullOrEmpty(Name);

    public bool May(AccessRole needed, bool reads = false) => IsKnown && Role.May(needed, reads);
}

/// <summary>
/// Identifies a caller: by the cluster's key, an access key, or a service's token; in <c>Authorization: Bearer</c>,
/// <c>X-API-Key</c>, or <c>?token=</c> on WebSocket upgrades only (browsers cannot set headers there). With no key
/// configured, which only loopback allows, every caller is an admin. Thread-safe.
/// </summary>
public sealed class CallerIdentifier(
    NodeOptions node,
    ServiceTokens tokens,
    TimeProvider time,
    IAccessDirectory? keys = null
)
{
    /// <summary>The name of a caller that shows the cluster's own key.</summary>
    public const string KeyHolder = "key";

    private static readonly object HolderKey = new();
    private static readonly object TokenKey = new();
    private static readonly Identified Development = new("development", AccessRole.Admin, null);
    private static readonly Identified Holder = new(KeyHolder, AccessRole.Admin, null);
    private static readonly Identified Wrong = new("", AccessRole.Member, "The API key is wrong.");
    private static readonly Identified Undecided = new(
        "",
        AccessRole.Member,
        "The API key cannot be checked yet, because no leader has been heard of. Try again."
    )
    {
        IsUndecided = true,
    };

    /// <summary>Whether services' tokens are taken, besides keys.</summary>
    public bool TakesTokens { get; init; } = true;

    public Identified Identify(HttpRequest request)
    {
        if (node.ApiKeyFingerprint is null)
            return Development;
        // The server returns the same string instance when a header is repeated on a connection: a value that was right
        // then is right now. Only for the cluster's own key, which cannot be withdrawn.
        var authorization = request.Headers.Authorization;
        var connection =
            authorization.Count == 1 ? request.HttpContext.Features.Get<IConnectionItemsFeature>()?.Items : null;
        if (
            connection is not null
            && connection.TryGetValue(HolderKey, out var shown)
            && ReferenceEquals(shown, authorization[0])
        )
            return Holder;
        var caller = IdentifyAnew(request);
        if (connection is not null && caller == Holder)
            connection[HolderKey] = authorization[0];
        return caller;
    }

    private Identified IdentifyAnew(HttpRequest request)
    {
        var presented = PresentedBy(request);
        if (presented.IsEmpty)
            return default;
        if (!TakesTokens || !presented.Span.StartsWith(ServiceTokens.Prefix, StringComparison.Ordinal))
            return Identify(presented.Span);
        // Taken once, though several may ask in the course of one request.
        var items = request.HttpContext.Items;
        if (items.TryGetValue(TokenKey, out var before))
            return (Identified)before!;
        var caller = Token(presented.Span, request);
        items[TokenKey] = caller;
        return caller;
    }

    /// <summary>By a key alone, for instance in a form or in a first message.</summary>
    public Identified Identify(ReadOnlySpan<char> key)
    {
        if (node.ApiKeyFingerprint is not { } fingerprint)
            return Development;
        if (AccessKey.IdOf(key) is { } id)
            return Given(keys?.Find(id), key);
        if (key.StartsWith("gxj-", StringComparison.Ordinal))
            return Wrong with
            {
                Refusal =
                    "This is a join token: it is changed for a key by 'galaxy worker --join' or POST "
                    + "/api/v1/join, and opens nothing else.",
            };
        // Both are compared, whatever the first says.
        return
            ApiKey.Matches(key, fingerprint) | (node.OtherApiKeyFingerprint is { } other && ApiKey.Matches(key, other))
            ? Holder
            : Wrong;
    }

    private Identified Given(AccessKey? key, ReadOnlySpan<char> secret)
    {
        if (key is null && keys?.IsComplete == false)
            return Undecided;
        if (key is null && keys is not null)
            return Wrong with { MayBeNew = true };
        if (key is null || AccessRoles.Parse(key.Role) is not { } role || !key.IsSecret(secret))
            return Wrong;
        return key.Expires <= time.GetUtcNow()
            ? Wrong with
            {
                Refusal = $"The key of '{key.Name}' expired on {key.Expires:yyyy-MM-dd HH:mm} UTC.",
            }
            : new Identified(key.Name, role, null);
    }

    private Identified Token(ReadOnlySpan<char> token, HttpRequest request)
    {
        // A WebSocket over HTTP/2 begins with CONNECT, and is GET behind a proxy.
        var fault = tokens.Take(
            token,
            HttpMethods.IsConnect(request.Method) ? "GET" : request.Method,
            request.Path.Value ?? "/",
            out var name,
            out var role
        );
        return fault switch
        {
            TokenFault.None => new Identified(name, role, null, IsService: true),
            TokenFault.Expired => Wrong with
            {
                Refusal =
                    $"The service's token is older than {ServiceTokens.Lifetime.TotalMinutes:0} minutes: "
                    + "set the clocks of both machines.",
            },
            TokenFault.Replayed => Wrong with { Refusal = "The service's token has been used." },
            _ => Wrong with
            {
                Refusal = "The service's token was not made with this cluster's key, or not for this call.",
            },
        };
    }

    /// <summary>Whether the request shows a key, right or wrong.</summary>
    public static bool IsPresented(HttpRequest request) => !PresentedBy(request).IsEmpty;

    /// <summary>Whether the request shows a key for models only, which OneApi knows.</summary>
    public static bool IsModelKey(HttpRequest request) =>
        PresentedBy(request).Span.StartsWith("gxk-", StringComparison.Ordinal);

    /// <summary>Whether a request asks for a WebSocket.</summary>
    // Not Context.WebSockets: a proxy forwards upgrades without the middleware behind that. HTTP/2 upgrades by CONNECT
    // (RFC 8441).
    public static bool IsSocketUpgrade(HttpRequest request) =>
        request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase)
        || request.HttpContext.Features.Get<IHttpExtendedConnectFeature>()
            is { IsExtendedConnect: true, Protocol: "websocket" };

    private static ReadOnlyMemory<char> PresentedBy(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return authorization.AsMemory("Bearer ".Length).Trim();
        if (request.Headers["X-API-Key"].ToString() is { Length: > 0 } header)
            return header.AsMemory();
        return IsSocketUpgrade(request) ? request.Query["token"].ToString().AsMemory() : default;
    }
}
