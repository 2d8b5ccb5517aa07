using System.Security.Cryptography;
using System.Text;

namespace Galaxy.OneApi.Governance;

/// <summary>
/// A key for the models, issued to a person or a program, and what it may do. Only the hash of the secret is stored.
/// </summary>
internal sealed record VirtualKey
{
    /// <summary>The beginning of every secret, by which a leaked one is recognized.</summary>
    public const string Prefix = "gxk-";

    public required string Id { get; init; }
    public required string Name { get; init; }
    public string? Owner { get; init; }
    public string? Team { get; init; }

    /// <summary>
    /// SHA-256 of the secret, in hexadecimal: it has 256 bits of chance, so nothing slower is needed.
    /// </summary>
    public required string Hash { get; init; }

    /// <summary>The last letters, by which its owner knows it.</summary>
    public required string Hint { get; init; }

    /// <summary>Patterns with * over the models that it may ask; empty: all.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Requests in any 60 seconds; null: not limited.</summary>
    public long? Rpm { get; init; }

    /// <summary>Tokens in any 60 seconds; null: not limited.</summary>
    public long? Tpm { get; init; }

    /// <summary>Dollars in a day (UTC); null: not limited.</summary>
    public double? BudgetPerDay { get; init; }

    /// <summary>Dollars in a month (UTC); null: not limited.</summary>
    public double? BudgetPerMonth { get; init; }

    public DateTimeOffset? Expires { get; init; }

    public bool Disabled { get; init; }

    /// <summary>Seconds that its answers are kept; null: as the request says.</summary>
    public int? CacheTtl { get; init; }

    public DateTimeOffset Created { get; init; }

    public bool IsLimited =>
        Rpm is not null || Tpm is not null || BudgetPerDay is not null || BudgetPerMonth is not null;

    /// <summary>Its limits count tokens, so every stream must tell them.</summary>
    public bool CountsTokens => Tpm is not null || BudgetPerDay is not null || BudgetPerMonth is not null;

    public static string NewSecret() => Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    public static string HashOf(string secret) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}

/// <summary>The caller of a request.</summary>
/// <param name="Id">In accounts: <c>cluster</c> for the cluster's own key.</param>
/// <param name="Key">Null for the cluster's own key, which nothing limits.</param>
internal sealed record Caller(string Id, VirtualKey? Key)
{
    public static Caller Cluster { get; } = new("cluster", null);

    public bool May(string model) =>
        Key is null
        || Key.Models.Count == 0
        || Key.Models.Any(pattern => Governance.ModelPattern.Matches(pattern, model));
}
