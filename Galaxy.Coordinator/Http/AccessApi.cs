using System.Text.Json.Serialization;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Access;
using Galaxy.ServiceDefaults.Authentication;

namespace Galaxy.Coordinator.Http;

/// <summary><c>POST /api/v1/access/keys</c>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record AccessKeyRequest(string? Name, string? Role, DateTimeOffset? Expires);

/// <summary><c>POST /api/v1/access/tokens</c>.</summary>
/// <param name="Name">Of the key that it is changed for; null: as the joining one calls itself.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record JoinTokenRequest(string? Role, double? TtlSeconds, string? Name);

/// <summary><c>POST /api/v1/join</c>. The key is the joining one's own: its secret never travels.</summary>
/// <param name="KeyHash">SHA-256 of the whole secret, in hexadecimal.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record JoinRequest(string? Token, string? Name, string? KeyId, string? KeyHash);

/// <summary>Keys with roles, and the tokens that devices join with.</summary>
internal static class AccessApi
{
    private static readonly TimeSpan LongestTtl = TimeSpan.FromDays(30);

    public static void MapAccessApi(this IEndpointRouteBuilder endpoints)
    {
        var access = endpoints.MapGroup("/api/v1/access").WithTags("Access");
        access
            .MapGet("/keys", (AccessKeys keys) => keys.List().Select(View).ToList())
            .WithSummary("The keys that are out, without their secrets");
        access
            .MapPost("/keys", CreateKey)
            .Produces<AccessKeyView>(201)
            .ProducesProblem(400)
            .WithSummary("Give out a key with a role. The secret is in this answer and nowhere else");
        access
            .MapDelete("/keys/{id}", (string id, AccessKeys keys) =>
                keys.Withdraw(id) ? Results.NoContent() : Results.Problem($"There is no key '{id}'.", statusCode: 404)
            )
            .Produces(204)
            .ProducesProblem(404)
            .WithSummary("Withdraw a key");
        access
            .MapGet("/tokens", async (JoinTokens tokens) => (await tokens.ListAsync()).Select(View).ToList())
            .WithSummary("Join tokens, also used and expired ones of the last week");
        access
            .MapPost("/tokens", CreateTokenAsync)
            .RequireLeader()
            .Produces<JoinTokenView>(201)
            .ProducesProblem(400)
            .WithSummary("Make a join token: good for one device, until it expires");
        access
            .MapDelete("/tokens/{id}", async (string id, JoinTokens tokens) =>
                await tokens.DeleteAsync(id)
                    ? Results.NoContent()
                    : Results.Problem($"There is no join token '{id}'.", statusCode: 404)
            )
            .RequireLeader()
            .Produces(204)
            .ProducesProblem(404)
            .WithSummary("Delete a join token");
        endpoints
            .MapPost("/api/v1/join", JoinAsync)
            .RequireLeader()
            .AllowAnonymous()
            .WithTags("Access")
            .Produces<AccessKeyView>(201)
            .ProducesProblem(401)
            .WithSummary("Change a join token for a key of one's own");
    }

    private static AccessKeyView View(AccessKey key) =>
        new(key.Id, key.Name, key.Role, key.Created, key.Expires, key.By);

    private static JoinTokenView View(JoinToken token) =>
        new(token.Id, token.Role, token.Name, token.Created, token.Expires, token.By, token.Used, token.KeyId);

    private static IResult CreateKey(AccessKeyRequest request, HttpContext http, AccessKeys keys, TimeProvider time)
    {
        if (NameComplaint(request.Name, required: true) is { } complaint)
            return Results.Problem(complaint, statusCode: 400);
        if (AccessRoles.Parse(request.Role) is null)
            return BadRole(request.Role);
        if (request.Expires <= time.GetUtcNow())
            return Results.Problem("'expires' is in the past.", statusCode: 400);
        var (id, secret) = AccessKey.Create();
        var key = new AccessKey
        {
            Id = id,
            Name = request.Name!,
            Role = request.Role!,
            Hash = AccessKey.HashOf(secret),
            Created = time.GetUtcNow(),
            Expires = request.Expires,
            By = http.User.Identity?.Name ?? "",
        };
        return keys.TryPut(key)
            ? Results.Created($"/api/v1/access/keys/{id}", View(key) with { Secret = secret })
            : Results.Problem("There are as many keys as there may be: withdraw some.", statusCode: 409);
    }

    private static Task<IResult> CreateTokenAsync(JoinTokenRequest request, HttpContext http, JoinTokens tokens) =>
        TryAsync(async () =>
        {
            if (AccessRoles.Parse(request.Role ?? "worker") is not { } role)
                return BadRole(request.Role);
            if (NameComplaint(request.Name, required: false) is { } complaint)
                return Results.Problem(complaint, statusCode: 400);
            var seconds = request.TtlSeconds ?? 3600;
            if (!(seconds >= 1 && seconds <= LongestTtl.TotalSeconds))
                return Results.Problem($"'ttl_seconds' must be 1 to {LongestTtl.TotalSeconds:0}.", statusCode: 400);
            var (token, secret) = await tokens.CreateAsync(
                role,
                request.Name,
                TimeSpan.FromSeconds(seconds),
                http.User.Identity?.Name ?? ""
            );
            return Results.Created($"/api/v1/access/tokens/{token.Id}", View(token) with { Token = secret });
        });

    private static Task<IResult> JoinAsync(JoinRequest request, JoinTokens tokens) =>
        TryAsync(async () =>
        {
            if (request.Token is not { Length: > 0 })
                return Results.Problem("'token' is required: a join token.", statusCode: 400);
            if (NameComplaint(request.Name, required: true) is { } complaint)
                return Results.Problem(complaint, statusCode: 400);
            if (!AccessKey.AreWellFormed(request.KeyId, request.KeyHash))
                return Results.Problem(
                    "'key_id' must be 12 and 'key_hash' 64 lower-case hexadecimal digits: the SHA-256 of "
                        + "'gxa-{key_id}-{64 digits of your choice}'.",
                    statusCode: 400
                );
            var key = await tokens.JoinAsync(request.Token, request.Name!, request.KeyId!, request.KeyHash!);
            return Results.Created($"/api/v1/access/keys/{key.Id}", View(key));
        });

    private static async Task<IResult> TryAsync(Func<Task<IResult>> action)
    {
        try
        {
            return await action();
        }
        catch (JoinRefusedException refused)
        {
            return Results.Problem(refused.Message, statusCode: refused.Status);
        }
    }

    private static IResult BadRole(string? role) =>
        Results.Problem($"'role' is '{role}'; allowed are {string.Join(", ", AccessRoles.Names)}.", statusCode: 400);

    private static string? NameComplaint(string? name, bool required) =>
        name switch
        {
            null when required => "'name' is required: it is how the key is known in the audit log.",
            { Length: 0 or > 100 } => "'name' must have 1 to 100 characters.",
            not null when name.Any(char.IsControl) => "'name' may have no control characters.",
            CallerIdentifier.KeyHolder =>
                $"'name' may not be '{CallerIdentifier.KeyHolder}': so the cluster's own key is called.",
            _ => null,
        };
}
