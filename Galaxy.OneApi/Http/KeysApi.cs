using Galaxy.OneApi.Governance;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.OneApi.Http;

/// <summary>What a new key may do, or what is changed of one. Absent: as it was.</summary>
internal sealed record KeyRequest
{
    public string? Name { get; init; }
    public string? Owner { get; init; }
    public string? Team { get; init; }
    public IReadOnlyList<string>? Models { get; init; }
    public long? Rpm { get; init; }
    public long? Tpm { get; init; }
    public double? BudgetPerDay { get; init; }
    public double? BudgetPerMonth { get; init; }
    public DateTimeOffset? Expires { get; init; }
    public bool? Disabled { get; init; }
    public int? CacheTtl { get; init; }
}

/// <summary>A key as it is shown: without its hash, and with its secret only when it is made.</summary>
internal sealed record KeyView(
    string Id,
    string Name,
    string? Owner,
    string? Team,
    string Hint,
    IReadOnlyList<string> Models,
    long? Rpm,
    long? Tpm,
    double? BudgetPerDay,
    double? BudgetPerMonth,
    DateTimeOffset? Expires,
    bool Disabled,
    int? CacheTtl,
    DateTimeOffset Created
)
{
    public string? Secret { get; init; }
    public double? SpentToday { get; init; }
    public double? SpentThisMonth { get; init; }

    public static KeyView Of(VirtualKey key) =>
        new(
            key.Id,
            key.Name,
            key.Owner,
            key.Team,
            key.Hint,
            key.Models,
            key.Rpm,
            key.Tpm,
            key.BudgetPerDay,
            key.BudgetPerMonth,
            key.Expires,
            key.Disabled,
            key.CacheTtl,
            key.Created
        );
}

/// <summary><c>/api/v1/keys</c>: keys for the models; operators read them, admins create and change them.</summary>
internal static class KeysApi
{
    public static void MapKeysApi(this IEndpointRouteBuilder endpoints)
    {
        var keys = endpoints.MapGroup("/api/v1/keys");
        keys.MapGet("", async (KeyStore store) =>
                await TryAsync(async () =>
                    Results.Json((await store.ListAsync()).Select(KeyView.Of), GalaxyJson.Options)
                )
            )
            .WithSummary("Every key, without its secret");
        keys.MapPost("", CreateAsync)
            .WithSummary("Give out a key")
            .WithDescription("The secret is in this answer and nowhere else: only its hash is kept.");
        keys.MapGet("{id}", GetAsync).WithSummary("One key, and what it has spent");
        keys.MapPatch("{id}", ChangeAsync)
            .WithSummary("Change what a key may do")
            .WithDescription(
                "Fields that are absent stay; -1 takes a limit away. In force everywhere after two seconds."
            );
        keys.MapDelete("{id}", async (string id, KeyStore store) =>
                await TryAsync(async () => await store.DeleteAsync(id) ? Results.NoContent() : NotFound(id))
            )
            .WithSummary("Withdraw a key");
    }

    private static Task<IResult> CreateAsync(KeyRequest request, KeyStore store, TimeProvider time) =>
        TryAsync(async () =>
        {
            if (string.IsNullOrWhiteSpace(request.Name))
                return Invalid("name", "'name' is required: it is how the key is known.");
            if (Complaint(request) is var (field, message))
                return Invalid(field, message);
            var secret = VirtualKey.NewSecret();
            var key = Apply(
                request,
                new VirtualKey
                {
                    Id = Guid.NewGuid().ToString("N")[..12],
                    Name = request.Name,
                    Hash = VirtualKey.HashOf(secret),
                    Hint = "…" + secret[^4..],
                    Created = time.GetUtcNow(),
                }
            );
            await store.SaveAsync(key);
            return Results.Json(KeyView.Of(key) with { Secret = secret }, GalaxyJson.Options, statusCode: 201);
        });

    private static Task<IResult> GetAsync(string id, KeyStore store, Limiter limiter) =>
        TryAsync(async () =>
        {
            if (await store.FindAsync(id) is not { } key)
                return NotFound(id);
            var (day, month) = await limiter.SpentAsync(key);
            return Results.Json(
                KeyView.Of(key) with
                {
                    SpentToday = day / 1e9,
                    SpentThisMonth = month / 1e9,
                },
                GalaxyJson.Options
            );
        });

    private static Task<IResult> ChangeAsync(string id, KeyRequest request, KeyStore store) =>
        TryAsync(async () =>
        {
            if (Complaint(request) is var (field, message))
                return Invalid(field, message);
            if (await store.FindAsync(id) is not { } key)
                return NotFound(id);
            key = Apply(request, key);
            await store.SaveAsync(key);
            return Results.Json(KeyView.Of(key), GalaxyJson.Options);
        });

    private static (string Field, string Message)? Complaint(KeyRequest request)
    {
        if (request.Name is { Length: 0 or > 100 })
            return ("name", "'name' must have 1 to 100 characters.");
        if (request.Owner?.Length > 200 || request.Team?.Length > 200)
            return ("owner", "'owner' and 'team' may have at most 200 characters.");
        if (request.Models is { } models && (models.Count > 100 || models.Any(string.IsNullOrWhiteSpace)))
            return ("models", "'models' must be a list of at most 100 names or patterns with *.");
        if (request.Rpm is not (null or -1 or > 0))
            return ("rpm", "'rpm' must be requests in a minute, 1 or more, or -1 for no limit.");
        if (request.Tpm is not (null or -1 or > 0))
            return ("tpm", "'tpm' must be tokens in a minute, 1 or more, or -1 for no limit.");
        if (request.BudgetPerDay is not (null or -1 or >= 0 and <= 1e6))
            return ("budget_per_day", "'budget_per_day' must be dollars from 0 to 1,000,000, or -1 for no limit.");
        if (request.BudgetPerMonth is not (null or -1 or >= 0 and <= 1e6))
            return ("budget_per_month", "'budget_per_month' must be dollars from 0 to 1,000,000, or -1 for no limit.");
        if (request.CacheTtl is not (null or >= 0 and <= 86_400))
            return ("cache_ttl", "'cache_ttl' must be seconds from 0 to 86,400.");
        return null;
    }

    private static VirtualKey Apply(KeyRequest request, VirtualKey key) =>
        key with
        {
            Name = request.Name ?? key.Name,
            Owner = request.Owner ?? key.Owner,
            Team = request.Team ?? key.Team,
            Models = request.Models ?? key.Models,
            Rpm = Limit(request.Rpm, key.Rpm),
            Tpm = Limit(request.Tpm, key.Tpm),
            BudgetPerDay = Limit(request.BudgetPerDay, key.BudgetPerDay),
            BudgetPerMonth = Limit(request.BudgetPerMonth, key.BudgetPerMonth),
            Expires = request.Expires ?? key.Expires,
            Disabled = request.Disabled ?? key.Disabled,
            CacheTtl = request.CacheTtl ?? key.CacheTtl,
        };

    private static long? Limit(long? asked, long? before) =>
        asked switch
        {
            null => before,
            -1 => null,
            _ => asked,
        };

    private static double? Limit(double? asked, double? before) =>
        asked switch
        {
            null => before,
            -1 => null,
            _ => asked,
        };

    private static IResult Invalid(string field, string message) =>
        Results.Problem(message, statusCode: 400, extensions: new Dictionary<string, object?> { ["field"] = field });

    private static IResult NotFound(string id) => Results.Problem($"There is no key '{id}'.", statusCode: 404);

    private static async Task<IResult> TryAsync(Func<Task<IResult>> action)
    {
        try
        {
            return await action();
        }
        catch (StoreMissingException missing)
        {
            return Results.Problem($"Keys cannot be managed now: {missing.Message}.", statusCode: 503);
        }
    }
}
