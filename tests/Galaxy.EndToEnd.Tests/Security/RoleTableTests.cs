using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Galaxy.EndToEnd.Tests.Security;

/// <summary>
/// Every endpoint with every role: what the documents say is what happens, and what the table in the docs says.
/// </summary>
[Collection("system")]
public sealed partial class RoleTableTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    private const string Document = "docs/protocols/access.md";
    private const string Begin = "<!-- The table is written by RoleTableTests with GALAXY_WRITE_DOCS=1. -->",
        End = "<!-- End of the table. -->";
    private static readonly string[] Roles = ["viewer", "client", "worker", "operator", "admin"];

    private sealed record Endpoint(string Method, string Path, string Role, bool ForViewers, string Summary);

    private async Task<List<Endpoint>> EndpointsAsync()
    {
        var document = await ApiDocument.WholeAsync(galaxy.Http);
        return
        [
            .. document["paths"]!
                .AsObject()
                .SelectMany(path =>
                    path.Value!.AsObject()
                        .Select(method => new Endpoint(
                            method.Key.ToUpperInvariant(),
                            path.Key,
                            method.Value!["x-galaxy-role"]!.GetValue<string>(),
                            method.Value["x-galaxy-viewer"]?.GetValue<bool>() == true,
                            method.Value["summary"]?.GetValue<string>() ?? ""
                        ))
                ),
        ];
    }

    /// <summary>Whether a role may, by the order that the table's head explains.</summary>
    private static bool May(string role, Endpoint endpoint) =>
        endpoint.Role is "open" or "member"
        || role == endpoint.Role
        || role == "admin"
        || (role == "operator" && endpoint.Role is "client" or "worker")
        || (role == "viewer" && endpoint.ForViewers);

    private async Task<string> KeyAsync(string role)
    {
        using var made = await galaxy.Http.PostAsJsonAsync("/api/v1/access/keys", new { name = "test-" + role, role });
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        var secret = (await made.Content.ReadFromJsonAsync<JsonNode>())!["secret"]!.GetValue<string>();
        // Every service hears of it through its own watch.
        await Eventually.TrueAsync(async () =>
            await StatusAsync("GET", "/api/v1/cluster", secret) == HttpStatusCode.OK
        );
        return secret;
    }

    private async Task<HttpStatusCode> StatusAsync(string method, string path, string? key)
    {
        using var client = new HttpClient { BaseAddress = galaxy.Http.BaseAddress, Timeout = TimeSpan.FromSeconds(20) };
        using var request = new HttpRequestMessage(new HttpMethod(method), Parameter().Replace(path, "none"));
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        // A body that nobody can read: who may is told so, and nothing happens.
        if (method is not ("GET" or "HEAD"))
            request.Content = new StringContent("[", Encoding.UTF8, "application/json");
        // Streams do not end.
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode;
    }

    [Fact]
    public async Task Each_role_is_let_in_where_the_documents_say_and_nowhere_else()
    {
        var endpoints = await EndpointsAsync();
        Assert.True(endpoints.Count > 90, $"{endpoints.Count} endpoints");
        var keys = new Dictionary<string, string>();
        foreach (var role in Roles[..4])
            keys[role] = await KeyAsync(role);
        List<string> wrong = [];
        var checks = 0;
        foreach (var endpoint in endpoints)
        {
            var (method, path, needed, _, _) = endpoint;
            foreach (var (role, key) in keys)
            {
                var status = await StatusAsync(method, path, key);
                if (
                    May(role, endpoint)
                        ? status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
                        : status != HttpStatusCode.Forbidden
                )
                    wrong.Add($"{method} {path} needs {needed}; {role}: {(int)status}");
                checks++;
            }
            // Now this, now that: an address may show so many wrong keys a minute, and there are more endpoints than
            // half of that.
            foreach (
                var (name, key) in new[]
                {
                    ("no key", (string?)null),
                    path.Length % 2 == 0
                        ? ("a wrong key", "gx-wrong")
                        : ("a key that was never out", "gxa-0123456789ab-" + new string('0', 64)),
                }
            )
            {
                if (
                    needed != "open"
                    && await StatusAsync(method, path, key) is var status and not HttpStatusCode.Unauthorized
                )
                    wrong.Add($"{method} {path} with {name}: {(int)status}");
                checks++;
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{endpoints.Count} endpoints, {checks} checks");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        // Who only looks changes nothing anywhere.
        Assert.DoesNotContain(endpoints, one => one.ForViewers && one.Method is not ("GET" or "HEAD"));
        Assert.Equal(["/api/v1/join"], endpoints.Where(one => one.Role == "open").Select(one => one.Path));
    }

    [Fact]
    public async Task The_table_in_the_docs_is_what_the_code_says()
    {
        var rows = (await EndpointsAsync())
            .OrderBy(one => one.Path, StringComparer.Ordinal)
            .ThenBy(one => one.Method, StringComparer.Ordinal)
            .Select(one =>
                $"| `{one.Method} {one.Path}` | {string.Join(" | ", Roles.Select(role => May(role, one) ? one.Role == "open" ? "open" : "yes" : ""))} | {one.Summary.Replace("|", "\\|", StringComparison.Ordinal)} |"
            );
        var table =
            $"{Begin}\n\n| endpoint | {string.Join(" | ", Roles)} | |\n|---|---|---|---|---|---|---|\n"
            + $"{string.Join('\n', rows)}\n\n{End}";
        var file = Path.Combine(Repository.Root, Document);
        var text = (await File.ReadAllTextAsync(file)).ReplaceLineEndings("\n");
        var (begin, end) = (
            text.IndexOf(Begin, StringComparison.Ordinal),
            text.IndexOf(End, StringComparison.Ordinal) + End.Length
        );
        if (Environment.GetEnvironmentVariable("GALAXY_WRITE_DOCS") == "1")
            await File.WriteAllTextAsync(file, text = text[..begin] + table + text[end..]);
        Assert.Contains(table, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_withdrawn_key_opens_nothing_any_more_and_acts_are_in_the_audit_log_of_every_coordinator()
    {
        using var made = await galaxy.Http.PostAsJsonAsync(
            "/api/v1/access/keys",
            new { name = "short-lived", role = "operator" }
        );
        var key = (await made.Content.ReadFromJsonAsync<JsonNode>())!;
        var secret = key["secret"]!.GetValue<string>();
        await Eventually.TrueAsync(async () =>
            await StatusAsync("GET", "/api/v1/cluster", secret) == HttpStatusCode.OK
        );
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync("PUT", "/api/v1/config/logging", secret));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync("PUT", "/api/v1/failover/primary", secret));

        using var withdrawn = await galaxy.Http.DeleteAsync("/api/v1/access/keys/" + key["id"]);

        Assert.Equal(HttpStatusCode.NoContent, withdrawn.StatusCode);
        await Eventually.TrueAsync(async () =>
            await StatusAsync("GET", "/api/v1/cluster", secret) == HttpStatusCode.Unauthorized
        );
        foreach (var coordinator in new[] { "coordinator-a", "coordinator-b", "coordinator-c" })
        {
            using var client = galaxy.Client(coordinator);
            JsonArray acts = [];
            string[] expected =
            [
                "DELETE /api/v1/access/keys/" + key["id"],
                "POST /api/v1/access/keys",
                "PUT /api/v1/config/logging",
            ];
            await Eventually.TrueAsync(async () =>
                (acts = (await client.GetFromJsonAsync<JsonArray>("/api/v1/audit?limit=50"))!) is not null
                && expected.All(what => acts.Any(act => (string?)act!["what"] == what))
            );
            var refused = acts.First(act =>
                (string?)act!["what"] == "PUT /api/v1/config/logging" && (string?)act["who"] == "short-lived"
            )!;
            Assert.Equal(
                ("operator", 403, "127.0.0.1"),
                (
                    (string)refused["role"]!,
                    (int)refused["status"]!,
                    ((string)refused["from"]!).Replace("::ffff:", "", StringComparison.Ordinal)
                )
            );
        }
        Assert.DoesNotContain(
            secret,
            await galaxy.Http.GetStringAsync("/api/v1/access/keys"),
            StringComparison.Ordinal
        );
        using var hidden = await galaxy.Http.GetAsync("/api/v1/state/access");
        Assert.Equal(HttpStatusCode.Forbidden, hidden.StatusCode);
    }

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}
