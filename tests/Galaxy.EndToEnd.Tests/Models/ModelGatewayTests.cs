using System.ClientModel;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using OpenAI;
using OpenAI.Chat;

namespace Galaxy.EndToEnd.Tests.Models;

/// <summary>
/// Models through the front door: official clients, keys that are given out, devices as models, routes that are set
/// while everything runs.
/// </summary>
[Collection("shared system")]
public sealed class ModelGatewayTests(RunningGalaxy galaxy)
{
    private OpenAIClient Client(string? key = null) =>
        new(
            new ApiKeyCredential(key ?? galaxy.Key),
            new OpenAIClientOptions { Endpoint = new Uri(galaxy.Host.Url("gateway", "api"), "/v1") }
        );

    [Fact]
    public async Task The_models_are_listed()
    {
        var models = await Client().GetOpenAIModelClient().GetModelsAsync();

        Assert.Contains(models.Value, model => model.Id == "galaxy/echo");
    }

    [Fact]
    public async Task A_chat_is_completed()
    {
        var answer = await Client()
            .GetChatClient("galaxy/echo")
            .CompleteChatAsync([new SystemChatMessage("be brief"), new UserChatMessage("hello galaxy")]);

        Assert.Contains("hello galaxy", answer.Value.Content[0].Text, StringComparison.Ordinal);
        Assert.Equal(ChatFinishReason.Stop, answer.Value.FinishReason);
        Assert.True(answer.Value.Usage.TotalTokenCount > 0);
    }

    [Fact]
    public async Task A_chat_is_streamed_in_pieces()
    {
        var pieces = new List<string>();
        ChatFinishReason? finish = null;
        await foreach (
            var update in Client()
                .GetChatClient("galaxy/echo")
                .CompleteChatStreamingAsync([new UserChatMessage("one two three four")])
        )
        {
            pieces.AddRange(update.ContentUpdate.Select(part => part.Text));
            finish ??= update.FinishReason;
        }

        Assert.True(pieces.Count(piece => piece.Length > 0) > 1, "it came in one piece");
        Assert.Contains("one two three four", string.Concat(pieces), StringComparison.Ordinal);
        Assert.Equal(ChatFinishReason.Stop, finish);
    }

    [Fact]
    public async Task An_unknown_model_is_an_error_that_the_sdk_understands()
    {
        var failure = await Assert.ThrowsAsync<ClientResultException>(() =>
            Client().GetChatClient("no/such-model").CompleteChatAsync([new UserChatMessage("hi")])
        );

        Assert.Equal(404, failure.Status);
        Assert.Contains("no/such-model", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_key_is_refused()
    {
        var failure = await Assert.ThrowsAsync<ClientResultException>(() =>
            Client("wrong-key").GetChatClient("galaxy/echo").CompleteChatAsync([new UserChatMessage("hi")])
        );

        Assert.Equal(401, failure.Status);
    }

    private async Task<(string Id, string Secret)> KeyAsync(object key)
    {
        using var answer = await galaxy.Http.PostAsJsonAsync("/api/v1/keys", key);
        Assert.Equal(201, (int)answer.StatusCode);
        var made = (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
        return (made["id"]!.GetValue<string>(), made["secret"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_key_that_is_given_out_opens_the_models_and_nothing_else()
    {
        var (_, secret) = await KeyAsync(new { name = "guest", models = new[] { "galaxy/*" } });

        Assert.Contains(
            "hello",
            (await Client(secret).GetChatClient("galaxy/echo").CompleteChatAsync([new UserChatMessage("hello")]))
                .Value
                .Content[0]
                .Text,
            StringComparison.Ordinal
        );
        using var guest = new HttpClient { BaseAddress = galaxy.Http.BaseAddress };
        guest.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        foreach (
            var path in new[] { "/api/v1/cluster", "/api/v1/keys", "/api/v1/usage", "/api/v1/config", "/tools", "/mcp" }
        )
            Assert.Equal(401, (int)(await guest.GetAsync(path)).StatusCode);
    }

    [Fact]
    public async Task A_thousand_at_once_through_two_processes_are_let_in_as_often_as_the_limit_says_and_cost_what_the_budget_allows()
    {
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 200 })
        {
            BaseAddress = galaxy.Http.BaseAddress,
        };
        async Task<List<HttpResponseMessage>> AskAsync(string secret) =>
            [
                .. await Task.WhenAll(
                    Enumerable
                        .Range(0, 1000)
                        .Select(async _ =>
                        {
                            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
                            {
                                Content = JsonContent.Create(
                                    new
                                    {
                                        model = "galaxy/echo",
                                        max_tokens = 10,
                                        messages = new[] { new { role = "user", content = "hello" } },
                                    }
                                ),
                            };
                            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secret);
                            return await http.SendAsync(request);
                        })
                ),
            ];

        var (limited, secret) = await KeyAsync(new { name = "limited", rpm = 137 });
        var answers = await AskAsync(secret);
        Assert.Equal(137, answers.Count(answer => (int)answer.StatusCode == 200));
        Assert.Equal(863, answers.Count(answer => (int)answer.StatusCode == 429));

        await ConfigureAsync("models", """{"prices":[{"model":"galaxy/*","input":1000,"output":2000}]}""");
        var (poor, money) = await KeyAsync(new { name = "poor", budget_per_day = 1.0 });
        // Until each of the two has the prices.
        await Eventually.TrueAsync(async () =>
            (await AskAsync(secret)).Count > 0 && await HasPricesAsync("oneapi-a") && await HasPricesAsync("oneapi-b")
        );
        answers = await AskAsync(money);
        var cost = answers
            .Where(answer => (int)answer.StatusCode == 200)
            .Sum(answer =>
                double.Parse(
                    answer.Headers.GetValues("x-galaxy-cost").Single(),
                    System.Globalization.CultureInfo.InvariantCulture
                )
            );
        Assert.InRange(cost, 0.5, 1.0);
        Assert.Equal(1000, answers.Count(answer => (int)answer.StatusCode is 200 or 429));
        var spent = (await galaxy.Http.GetFromJsonAsync<JsonNode>("/api/v1/keys/" + poor))!;
        Assert.Equal(cost, spent["spent_today"]!.GetValue<double>(), 9);
        // What both processes counted is in one account.
        await Eventually.TrueAsync(async () =>
            (await UsedAsync(poor, "requests"), await UsedAsync(limited, "errors")) is (1000, >= 863)
        );
        await ConfigureAsync("models", "{}");
    }

    private async Task<bool> HasPricesAsync(string oneApi)
    {
        using var client = galaxy.Client(oneApi);
        using var answer = await client.PostAsJsonAsync(
            "/v1/chat/completions",
            new { model = "galaxy/echo", messages = new[] { new { role = "user", content = "hello" } } }
        );
        return answer.Headers.GetValues("x-galaxy-cost").Single() != "0";
    }

    private async Task<long> UsedAsync(string key, string field) =>
        (await galaxy.Http.GetFromJsonAsync<JsonNode>("/api/v1/usage?key=" + key))!
            .AsArray()
            .Sum(row => row![field]!.GetValue<long>());

    private async Task ConfigureAsync(string document, string json)
    {
        using var answer = await galaxy.Http.PutAsync(
            "/api/v1/config/" + document,
            new StringContent(json, Encoding.UTF8, "application/json")
        );
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_name_for_models_is_known_everywhere_as_soon_as_it_is_set()
    {
        await ConfigureAsync(
            "models",
            """{"routes":[{"name":"house","strategy":"weighted","targets":["""
                + """{"model":"galaxy/echo","weight":3}],"fallbacks":["auto"]}]}"""
        );
        foreach (var oneApi in new[] { "oneapi-a", "oneapi-b" })
        {
            using var client = galaxy.Client(oneApi);
            await Eventually.TrueAsync(async () =>
                (await client.GetFromJsonAsync<JsonNode>("/v1/models"))!["data"]!
                    .AsArray()
                    .Any(model => model!["id"]!.GetValue<string>() == "house")
            );
        }
        Assert.Contains(
            "hello",
            (await Client().GetChatClient("house").CompleteChatAsync([new UserChatMessage("hello")]))
                .Value
                .Content[0]
                .Text,
            StringComparison.Ordinal
        );
        using var wrong = await galaxy.Http.PutAsync(
            "/api/v1/config/models",
            new StringContent(
                """{"routes":[{"name":"x","strategy":"best","targets":[]}]}""",
                Encoding.UTF8,
                "application/json"
            )
        );
        Assert.Equal(400, (int)wrong.StatusCode);
        await ConfigureAsync("models", "{}");
    }

    [Fact]
    public async Task A_device_with_a_model_is_a_provider()
    {
        // It offers the models of an OpenAI-compatible server; here that is the gateway itself.
        var info = new ProcessStartInfo(Repository.Galaxy)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (
            var argument in (string[])
                [
                    "worker",
                    "--id",
                    "attic-pc",
                    "--master",
                    $"ws://127.0.0.1:{galaxy.Host.Url("gateway", "ws").Port}",
                    "--models",
                    new Uri(galaxy.Http.BaseAddress!, "/v1").ToString(),
                    "--capability",
                    "llm.chat",
                ]
        )
            info.ArgumentList.Add(argument);
        info.Environment["GALAXY_API_KEY"] = galaxy.Key;
        using var worker = Process.Start(info)!;
        worker.BeginOutputReadLine();
        try
        {
            await Eventually.TrueAsync(async () =>
                (await Client().GetOpenAIModelClient().GetModelsAsync()).Value.Any(model =>
                    model.Id == "device/attic-pc"
                )
            );
            var chat = Client().GetChatClient("device/attic-pc/galaxy/echo");

            var answer = (await chat.CompleteChatAsync([new UserChatMessage("hello device")])).Value;
            Assert.Contains("hello device", answer.Content[0].Text, StringComparison.Ordinal);
            Assert.True(answer.Usage.TotalTokenCount > 0);
            var streamed = "";
            await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage("hello again")]))
                streamed += string.Concat(update.ContentUpdate.Select(part => part.Text));
            Assert.Contains("hello again", streamed, StringComparison.Ordinal);

            var tool = ChatTool.CreateFunctionTool(
                "look",
                "Look",
                BinaryData.FromString("""{"type":"object","properties":{"at":{"type":"string"}}}""")
            );
            var called = (
                await chat.CompleteChatAsync(
                    [new UserChatMessage("the moon")],
                    new ChatCompletionOptions { Tools = { tool }, ToolChoice = ChatToolChoice.CreateRequiredChoice() }
                )
            ).Value;
            Assert.Equal("""{"at":"the moon"}""", called.ToolCalls[0].FunctionArguments.ToString());
        }
        finally
        {
            worker.Kill();
            await worker.WaitForExitAsync();
        }
    }
}
