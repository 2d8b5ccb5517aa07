namespace Galaxy.Contracts.Api;

/// <summary>A key that has been issued, without its secret.</summary>
/// <param name="Role"><c>viewer</c>, <c>client</c>, <c>worker</c>, <c>operator</c> or <c>admin</c>.</param>
/// <param name="Expires">Null: until it is withdrawn.</param>
/// <param name="By">The caller that issued it.</param>
public sealed record AccessKeyView(
    string Id,
    string Name,
    string Role,
    DateTimeOffset Created,
    DateTimeOffset? Expires,
    string By
)
{
    /// <summary>Only in the answer that makes it: what is kept is its hash.</summary>
    public string? Secret { get; init; }
}

/// <summary>A join token, without its secret.</summary>
/// <param name="Used">When it was changed for a key; null: not yet.</param>
/// <param name="KeyId">The key that it was changed for.</param>
public sealed record JoinTokenView(
    string Id,
    string Role,
    string? Name,
    DateTimeOffset Created,
    DateTimeOffset Expires,
    string By,
    DateTimeOffset? Used,
    string? KeyId
)
{
    /// <summary>Only in the answer that makes it.</summary>
    public string? Token { get; init; }
}

/// <summary>An administrative act.</summary>
/// <param name="Who">The key's name; <c>key</c> is the cluster's own.</param>
/// <param name="What">Method and path.</param>
/// <param name="From">The client's address.</param>
/// <param name="Status">How it ended: HTTP's status.</param>
/// <param name="Service">Which node saw it.</param>
public sealed record AuditView(
    DateTimeOffset At,
    string Who,
    string Role,
    string What,
    string From,
    int Status,
    string Service,
    string? Trace
);
