using System.ClientModel;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;
using OpenAI;
using OpenAI.Chat;

namespace Galaxy.EndToEnd.Tests.Configuration;

/// <summary>What is set once is in force on every service, without a restart.</summary>
[Collection("system")]
public sealed class ConfigTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        JsonNode? body,
        string coordinator = "coordinator-b"
    )
    {
        using var client = galaxy.Client(coordinator);
        using var request = new HttpRequestMessage(method, "/api/v1/config/" + path)
        {
            Content = body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        return await client.SendAsync(request);
    }

    private async Task<ConfigView> ChangeAsync(HttpMethod method, string path, JsonNode? body)
    {
        using var answer = await SendAsync(method, path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<ConfigView>(GalaxyJson.Options))!;
    }

    private async Task<string[]> ModelsAsync(string oneApi)
    {
        using var client = galaxy.Client(oneApi);
        return
        [
            .. (await client.GetFromJsonAsync<JsonNode>("/v1/models"))!["data"]!
                .AsArray()
                .Select(model => (string)model!["id"]!),
        ];
    }

    // The gateway itself is an OpenAI-compatible server that needs a key.
    private JsonObject Loop() =>
        new()
        {
            ["base_url"] = new Uri(galaxy.Host.Url("gateway", "api"), "/v1").ToString(),
            ["api_key"] = galaxy.Key,
            ["models"] = new JsonArray("galaxy/echo"),
        };

    [Fact]
    public async Task A_provider_that_is_set_on_one_coordinator_is_used_by_every_oneapi_and_its_key_is_nowhere_to_be_read()
    {
        var set = await ChangeAsync(HttpMethod.Patch, "providers", new JsonObject { ["loop"] = Loop() });
        Assert.Equal("…" + galaxy.Key[^4..], (string?)set.Value!["loop"]!["api_key"]);

        foreach (var oneApi in new[] { "oneapi-a", "oneapi-b" })
            await Eventually.TrueAsync(async () => (await ModelsAsync(oneApi)).Contains("loop/galaxy/echo"));
        var client = new OpenAIClient(
            new ApiKeyCredential(galaxy.Key),
            new OpenAIClientOptions { Endpoint = new Uri(galaxy.Host.Url("gateway", "api"), "/v1") }
        );
        var chat = await client
            .GetChatClient("loop/galaxy/echo")
            .CompleteChatAsync([new UserChatMessage("round the loop")]);
        Assert.Contains("round the loop", chat.Value.Content[0].Text, StringComparison.Ordinal);

        foreach (
            var path in new[]
            {
                "/api/v1/config",
                "/api/v1/config/providers/history",
                "/api/v1/state/config/providers",
                "/api/v1/state/config_history",
            }
        )
            Assert.DoesNotContain(galaxy.Key, await galaxy.Http.GetStringAsync(path), StringComparison.Ordinal);
        using (await galaxy.Http.PostAsync("/api/v1/state/snapshots", null)) { }
        var key = Encoding.UTF8.GetBytes(galaxy.Key);
        foreach (
            var file in Directory
                .GetFiles(Path.Combine(galaxy.Data, "nodes"), "*", SearchOption.AllDirectories)
                .Where(file => Path.GetExtension(file) is ".log" or ".snapshot")
        )
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            await stream.ReadExactlyAsync(bytes);
            Assert.Equal(-1, bytes.AsSpan().IndexOf(key));
        }

        // What a reader saw is sent back with a change elsewhere: the key stays.
        var shown = (JsonObject)set.Value!.DeepClone();
        shown["loop"]!["models"] = new JsonArray("galaxy/echo", "other");
        await ChangeAsync(HttpMethod.Put, "providers", shown);
        await Eventually.TrueAsync(async () => (await ModelsAsync("oneapi-a")).Contains("loop/other"));
        Assert.Contains(
            "again",
            (await client.GetChatClient("loop/galaxy/echo").CompleteChatAsync([new UserChatMessage("again")]))
                .Value
                .Content[0]
                .Text,
            StringComparison.Ordinal
        );

        await ChangeAsync(HttpMethod.Patch, "providers", new JsonObject { ["loop"] = null });
        await Eventually.TrueAsync(async () => !(await ModelsAsync("oneapi-b")).Contains("loop/galaxy/echo"));
    }

    [Fact]
    public async Task An_invalid_document_is_refused_with_the_schemas_complaint_and_changes_nothing()
    {
        using var refused = await SendAsync(
            HttpMethod.Patch,
            "providers",
            new JsonObject { ["bad"] = new JsonObject { ["base_url"] = "not an address" } }
        );
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        var detail = (await refused.Content.ReadFromJsonAsync<JsonNode>())!["detail"]!.GetValue<string>();
        Assert.Equal(
            "'providers' is not valid: at '/bad/base_url': expected: An address up to and including the "
                + "version, for instance https://api.openai.com/v1.",
            detail
        );
        using var unknown = await SendAsync(HttpMethod.Put, "nothing", new JsonObject());
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        using var loud = await SendAsync(HttpMethod.Patch, "logging", new JsonObject { ["Galaxy"] = "Loud" });
        Assert.Contains(
            "at '/Galaxy': expected one of Trace, Debug,",
            await loud.Content.ReadAsStringAsync(),
            StringComparison.Ordinal
        );
        using var noObject = await SendAsync(HttpMethod.Put, "logging", new JsonArray());
        Assert.Equal(HttpStatusCode.BadRequest, noObject.StatusCode);

        Assert.DoesNotContain(
            "\"bad\"",
            await galaxy.Http.GetStringAsync("/api/v1/config/providers"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_document_has_a_history_with_differences_and_goes_back_to_any_version_of_it()
    {
        await ChangeAsync(HttpMethod.Put, "logging", new JsonObject { ["Galaxy.Test"] = "Debug" });
        await ChangeAsync(HttpMethod.Put, "logging", new JsonObject { ["Galaxy.Test"] = "Error" });

        // Through the gateway another coordinator answers, which hears of it within milliseconds.
        var history = (
            await Eventually.NotNullAsync(async () =>
                await galaxy.Http.GetFromJsonAsync<List<ConfigVersion>>(
                    "/api/v1/config/logging/history",
                    GalaxyJson.Options
                )
                    is { Count: 2 } versions
                    ? versions
                    : null
            )
        )!;
        Assert.Equal(["set", "set"], history.Select(version => version.Change));
        var difference = Assert.Single(
            (
                await galaxy.Http.GetFromJsonAsync<List<ConfigDifference>>(
                    $"/api/v1/config/logging/diff?from={Uri.EscapeDataString(history[1].Version)}",
                    GalaxyJson.Options
                )
            )!
        );
        Assert.Equal(
            ("/Galaxy.Test", "Debug", "Error"),
            (difference.Path, (string?)difference.From, (string?)difference.To)
        );

        var back = await ChangeAsync(
            HttpMethod.Post,
            "logging/rollback",
            new JsonObject { ["version"] = history[1].Version }
        );
        Assert.Equal("Debug", (string?)back.Value!["Galaxy.Test"]);
        using var missing = await SendAsync(HttpMethod.Post, "logging/rollback", new JsonObject { ["version"] = "1" });
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task An_override_is_in_force_on_its_node_only()
    {
        var loop = Loop();
        loop["models"] = new JsonArray("only-there");
        await ChangeAsync(HttpMethod.Put, "providers?node=oneapi-b", new JsonObject { ["special"] = loop });

        await Eventually.TrueAsync(async () => (await ModelsAsync("oneapi-b")).Contains("special/only-there"));
        Assert.DoesNotContain("special/only-there", await ModelsAsync("oneapi-a"));

        await ChangeAsync(HttpMethod.Delete, "providers?node=oneapi-b", null);
        await Eventually.TrueAsync(async () => !(await ModelsAsync("oneapi-b")).Contains("special/only-there"));
    }

    [Fact]
    public async Task A_worker_follows_the_configuration_without_a_restart()
    {
        // For worker-1 alone: its own entry wins over everybody's. When the worker has heard of it cannot be seen, only
        // that a task which it ran meanwhile left no line although a later one did.
        await Eventually.TrueAsync(async () =>
        {
            await ChangeAsync(
                HttpMethod.Put,
                "logging?node=worker-1",
                new JsonObject { ["Galaxy.Cli.Worker"] = "Warning" }
            );
            var quiet = await RunOnAsync("worker-1");
            await ChangeAsync(HttpMethod.Delete, "logging?node=worker-1", null);
            await Eventually.TrueAsync(async () => Says("worker-1", await RunOnAsync("worker-1")));
            return !Says("worker-1", quiet);
        });
        Assert.Equal(0, galaxy.Host.Restarts("worker-1"));

        bool Says(string worker, string taskId) =>
            galaxy
                .Host.Output(worker)
                .Any(line => line.Contains($"Task {taskId} (echo): done", StringComparison.Ordinal));

        async Task<string> RunOnAsync(string worker)
        {
            while (true)
            {
                var id = await galaxy.SubmitAsync(new { action = "echo", @params = new { text = "hello" } });
                if ((await galaxy.FinishedAsync(id)).DeviceId == worker)
                    return id;
            }
        }
    }
}
