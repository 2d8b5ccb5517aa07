using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Galaxy.Coordinator.Tests.Stores;

namespace Galaxy.OneApi.Tests.Governance;

public sealed class GovernanceOnGarnet(GarnetStore store) : GovernanceTests(store), IClassFixture<GarnetStore>;

public sealed class GovernanceOnRedis(RedisServerStore store) : GovernanceTests(store), IClassFixture<RedisServerStore>;

/// <summary>
/// Keys that are given out, what they may do, and what they used: counted by two gateways in one store.
/// </summary>
public abstract class GovernanceTests(RealStore store) : IAsyncLifetime
{
    private const string Hello = """{"model":"galaxy/echo","messages":[{"role":"user","content":"hello"}]}""";

    private OneApiServer _one = null!;
    private OneApiServer _two = null!;

    public async ValueTask InitializeAsync()
    {
        if (store.Absent is { } reason)
            Assert.Skip(reason);
        (string, string?)[] settings =
        [
            ("ConnectionStrings:redis", store.Address),
            ("OneApi:Models:Prices:0:Model", "galaxy/*"),
            ("OneApi:Models:Prices:0:Input", "1000"),
            ("OneApi:Models:Prices:0:Output", "2000"),
        ];
        (_one, _two) = (await OneApiServer.StartAsync(settings), await OneApiServer.StartAsync(settings));
    }

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
    }

    private async Task<(string Id, string Secret)> KeyAsync(string json)
    {
        var (response, made) = await _one.PostAsync("/api/v1/keys", json);
        Assert.Equal(201, (int)response.StatusCode);
        return (made!["id"]!.GetValue<string>(), made["secret"]!.GetValue<string>());
    }

    private async Task<List<(int Status, JsonNode? Json, HttpResponseMessage Response)>> ManyAsync(
        int count,
        string secret,
        string body,
        Action? ended = null
    )
    {
        using var first = _one.Client(secret);
        using var second = _two.Client(secret);
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, count)
                .Select(async i =>
                {
                    var response = await (i % 2 == 0 ? first : second).PostAsync(
                        "/v1/chat/completions",
                        OneApiServer.Json(body)
                    );
                    ended?.Invoke();
                    return (
                        (int)response.StatusCode,
                        JsonNode.Parse(await response.Content.ReadAsStringAsync()),
                        response
                    );
                })
        );
        return [.. answers];
    }

    [Fact]
    public async Task A_thousand_at_once_against_a_limit_of_requests_are_let_in_exactly_as_often_as_it_says()
    {
        var (id, secret) = await KeyAsync("""{"name":"limited","rpm":100}""");

        var answers = await ManyAsync(1000, secret, Hello);

        Assert.Equal(100, answers.Count(answer => answer.Status == 200));
        var refused = answers.Where(answer => answer.Status != 200).ToList();
        Assert.All(refused, answer =>
            Assert.Equal(
                (429, "rate_limit_exceeded"),
                (answer.Status, answer.Json!["error"]!["code"]!.GetValue<string>())
            )
        );
        Assert.All(refused, answer =>
            Assert.InRange(answer.Response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60)
        );
        Assert.Equal(
            "100",
            answers
                .First(answer => answer.Status == 200)
                .Response.Headers.GetValues("x-ratelimit-limit-requests")
                .Single()
        );
        // Each of the hundred was told another number of what is left.
        Assert.Equal(
            Enumerable.Range(0, 100),
            answers
                .Where(answer => answer.Status == 200)
                .Select(answer =>
                    int.Parse(
                        answer.Response.Headers.GetValues("x-ratelimit-remaining-requests").Single(),
                        CultureInfo.InvariantCulture
                    )
                )
                .Order()
        );
        Assert.Equal(100, await UsedAsync(id, "requests") - refused.Count);
        Assert.Equal(refused.Count, await UsedAsync(id, "errors"));
    }

    [Fact]
    public async Task A_thousand_at_once_against_a_budget_never_overdraw_it_and_what_is_spent_is_what_was_used()
    {
        // One word in, eleven out: a tenth of a cent and 2.2 cents. Most of what is set aside comes back.
        var (id, secret) = await KeyAsync("""{"name":"poor","budget_per_day":1.0}""");

        var answers = await ManyAsync(
            1000,
            secret,
            """{"model":"galaxy/echo","max_tokens":10,"messages":[{"role":"user","content":"hello"}]}"""
        );

        var let = answers.Where(answer => answer.Status == 200).ToList();
        Assert.All(answers.Where(answer => answer.Status != 200), answer =>
            Assert.Equal(
                (429, "insufficient_quota"),
                (answer.Status, answer.Json!["error"]!["code"]!.GetValue<string>())
            )
        );
        var cost = let.Sum(answer =>
            double.Parse(answer.Response.Headers.GetValues("x-galaxy-cost").Single(), CultureInfo.InvariantCulture)
        );
        Assert.InRange(cost, 0.5, 1.0);
        var tokens =
            let.Sum(answer =>
                answer.Json!["usage"]!["prompt_tokens"]!.GetValue<int>() * 1000.0
                + answer.Json["usage"]!["completion_tokens"]!.GetValue<int>() * 2000.0
            ) / 1e6;
        Assert.Equal(tokens, cost, 9);
        var spent = JsonNode.Parse(await _two.Http.GetStringAsync($"/api/v1/keys/{id}"))!;
        Assert.Equal(cost, spent["spent_today"]!.GetValue<double>(), 9);
        Assert.Equal(cost, spent["spent_this_month"]!.GetValue<double>(), 9);
    }

    [Fact]
    public async Task Tokens_are_limited_by_what_a_request_may_need_and_settled_by_what_it_used()
    {
        const int Limit = 300,
            Uses = 4;
        const string Body = """{"model":"p/m","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}""";
        var may = (Body.Length / 2) + 1 + 100;
        await using var provider = await FakeProvider.StartAsync();
        var fine = provider.Always;
        var open = new TaskCompletionSource();
        provider.Always = async context =>
        {
            await open.Task;
            await fine(context);
        };
        foreach (var server in new[] { _one, _two })
            server.Set(("OneApi:Providers:p:BaseUrl", provider.Url));
        var (id, secret) = await KeyAsync($$"""{"name":"terse","tpm":{{Limit}}}""");

        // While nobody has an answer, each has set aside what it may need at most.
        // What one gives back another may take: the provider answers when all that have no room are refused.
        var ended = 0;
        var answers = ManyAsync(20, secret, Body, () => Interlocked.Increment(ref ended));
        await UntilAsync(async () =>
            provider.Open == Limit / may
            && Volatile.Read(ref ended) == 20 - (Limit / may)
            && await CountedAsync(id) == Limit / may * may
        );
        open.SetResult();
        Assert.Equal(Limit / may, (await answers).Count(answer => answer.Status == 200));
        Assert.All((await answers).Where(answer => answer.Status != 200), answer => Assert.Equal(429, answer.Status));

        // Then only what was used counts, and one after the other more of them fit: to the last that has room.
        var used = Limit / may * Uses;
        using var client = _one.Client(secret);
        for (; used + may <= Limit; used += Uses)
        {
            await UntilAsync(async () => await CountedAsync(id) == used);
            using var answer = await client.PostAsync("/v1/chat/completions", OneApiServer.Json(Body));
            Assert.Equal(200, (int)answer.StatusCode);
        }
        await UntilAsync(async () => await CountedAsync(id) == used);
        using var last = await client.PostAsync("/v1/chat/completions", OneApiServer.Json(Body));
        Assert.Equal(429, (int)last.StatusCode);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(500)]
    [InlineData(0)]
    public async Task What_was_set_aside_for_a_request_that_fails_is_given_back(int status)
    {
        await using var provider = await FakeProvider.StartAsync();
        var open = new TaskCompletionSource();
        provider.Always = async context =>
        {
            await open.Task;
            if (status == 0)
                context.Abort();
            else
                await FakeProvider.Json(status, """{"error":{"message":"no","type":"no"}}""")(context);
        };
        var (id, secret) = await FailingKeyAsync(provider);
        using var client = _one.Client(secret);
        var asking = client.PostAsync("/v1/chat/completions", OneApiServer.Json(Failing));
        await UntilAsync(async () => provider.Open == 1 && await CountedAsync(id) > 0 && await SpentAsync(id) > 0);

        open.SetResult();

        using var failed = await asking;
        Assert.False(failed.IsSuccessStatusCode);
        Assert.NotEqual(429, (int)failed.StatusCode);
        await UntilAsync(async () => (await CountedAsync(id), await SpentAsync(id)) == (0, 0));
    }

    [Fact]
    public async Task What_was_set_aside_for_a_client_that_leaves_is_given_back()
    {
        await using var provider = await FakeProvider.StartAsync();
        provider.Always = FakeProvider.Hanging();
        var (id, secret) = await FailingKeyAsync(provider);
        using var client = _one.Client(secret);
        using var leave = new CancellationTokenSource();
        var asking = client.PostAsync("/v1/chat/completions", OneApiServer.Json(Failing), leave.Token);
        await UntilAsync(async () => provider.Open == 1 && await CountedAsync(id) > 0 && await SpentAsync(id) > 0);

        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await UntilAsync(async () => (await CountedAsync(id), await SpentAsync(id)) == (0, 0));
    }

    private const string Failing =
        """{"model":"p/m","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}""";

    private Task<(string Id, string Secret)> FailingKeyAsync(FakeProvider provider)
    {
        _one.Set(
            ("OneApi:Providers:p:BaseUrl", provider.Url),
            ("OneApi:Models:Prices:1:Model", "p/*"),
            ("OneApi:Models:Prices:1:Input", "1"),
            ("OneApi:Models:Prices:1:Output", "1")
        );
        return KeyAsync("""{"name":"unlucky","tpm":1000,"budget_per_day":1.0,"budget_per_month":5.0}""");
    }

    /// <summary>Tokens of a key that count in this minute: used, or set aside.</summary>
    private async Task<long> CountedAsync(string id)
    {
        await using var redis = await store.ConnectAsync();
        return (await redis.GetDatabase().HashValuesAsync($"{{galaxy:galaxy}}:oneapi:k:{id}:tokens")).Sum(one =>
            (long)one
        );
    }

    private async Task<double> SpentAsync(string id)
    {
        var key = JsonNode.Parse(await _one.Http.GetStringAsync($"/api/v1/keys/{id}"))!;
        return key["spent_today"]!.GetValue<double>() + key["spent_this_month"]!.GetValue<double>();
    }

    private static async Task UntilAsync(
        Func<Task<bool>> condition,
        [CallerArgumentExpression(nameof(condition))] string what = ""
    )
    {
        var began = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(20), $"never: {what}");
            await Task.Delay(10);
        }
    }

    [Theory]
    [InlineData("\"max_tokens\":-2000000000,")]
    [InlineData("\"max_tokens\":2000000000,\"n\":2,")]
    [InlineData("\"max_tokens\":5000,\"max_completion_tokens\":1,")]
    public async Task A_limit_cannot_be_talked_down_by_strange_bounds(string bounds)
    {
        await using var provider = await FakeProvider.StartAsync();
        provider.Always = FakeProvider.Hanging();
        _one.Set(
            ("OneApi:Providers:p:BaseUrl", provider.Url),
            ("OneApi:Models:Prices:1:Model", "p/*"),
            ("OneApi:Models:Prices:1:Input", "1"),
            ("OneApi:Models:Prices:1:Output", "1")
        );
        var (id, secret) = await KeyAsync("""{"name":"sly","budget_per_day":0.004}""");
        using var client = _one.Client(secret);
        using var leave = new CancellationTokenSource();
        var asking = client.PostAsync(
            "/v1/chat/completions",
            OneApiServer.Json($$"""{"model":"p/m",{{bounds}}"messages":[]}"""),
            leave.Token
        );

        // It is refused, or what is set aside for it is never less than nothing.
        for (var tries = 0; tries < 100 && provider.Open == 0 && !asking.IsCompleted; tries++)
            await Task.Delay(20);
        Assert.True(
            JsonNode.Parse(await _one.Http.GetStringAsync($"/api/v1/keys/{id}"))!["spent_today"]!.GetValue<double>()
                >= 0
        );
        if (
            bounds.Contains("5000", StringComparison.Ordinal)
            || bounds.Contains("2000000000,\"n", StringComparison.Ordinal)
        )
            Assert.Equal(429, (int)(await asking).StatusCode);
        await leave.CancelAsync();
        await Task.WhenAny(asking);
    }

    [Fact]
    public async Task A_stream_of_a_key_that_counts_tokens_is_counted_and_its_client_sees_no_difference()
    {
        await using var provider = await FakeProvider.StartAsync();
        const string Chunk =
            """data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}""" + "\n\n";
        const string Stop = """data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""" + "\n\n";
        const string Used =
            """data: {"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150}}""" + "\n\n";
        provider.Always = FakeProvider.Stream(Chunk, Stop, Used, "data: [DONE]\n\n");
        _one.Set(
            ("OneApi:Providers:p:BaseUrl", provider.Url),
            ("OneApi:Models:Prices:1:Model", "p/*"),
            ("OneApi:Models:Prices:1:Input", "1"),
            ("OneApi:Models:Prices:1:Output", "2")
        );
        var (id, secret) = await KeyAsync("""{"name":"streams","budget_per_month":5}""");
        using var client = _one.Client(secret);

        var text = await (
            await client.PostAsync(
                "/v1/chat/completions",
                OneApiServer.Json("""{"model":"p/m","stream":true,"messages":[]}""")
            )
        ).Content.ReadAsStringAsync();
        Assert.Equal(Chunk + Stop + "data: [DONE]\n\n", text);
        Assert.True(provider.Requests.Last().Json["stream_options"]!["include_usage"]!.GetValue<bool>());
        text = await (
            await client.PostAsync(
                "/v1/chat/completions",
                OneApiServer.Json(
                    """{"model":"p/m","stream":true,"stream_options":{"include_usage":true},"messages":[]}"""
                )
            )
        ).Content.ReadAsStringAsync();
        Assert.Equal(Chunk + Stop + Used + "data: [DONE]\n\n", text);

        Assert.Equal(100, await UsedAsync(id, "output_tokens"));
        Assert.Equal(
            0.0004,
            JsonNode.Parse(await _one.Http.GetStringAsync($"/api/v1/keys/{id}"))![
                "spent_this_month"
            ]!.GetValue<double>(),
            9
        );
    }

    [Fact]
    public async Task A_key_is_refused_where_it_may_not_go_and_when_it_is_over()
    {
        var (id, secret) = await KeyAsync("""{"name":"narrow","models":["galaxy/*"],"owner":"somebody"}""");
        using var client = _two.Client(secret);
        Assert.Equal(200, (int)(await client.PostAsync("/v1/chat/completions", OneApiServer.Json(Hello))).StatusCode);
        var models = JsonNode.Parse(await client.GetStringAsync("/v1/models"))!["data"]!
            .AsArray()
            .Select(model => model!["id"]!.GetValue<string>());
        Assert.Equal(["galaxy/echo"], models);

        _two.Set(("OneApi:Providers:p:BaseUrl", "http://127.0.0.1:9/v1"), ("OneApi:Providers:p:Models:0", "m"));
        using var forbidden = await client.PostAsync(
            "/v1/messages",
            OneApiServer.Json("""{"model":"p/m","max_tokens":5,"messages":[{"role":"user","content":"x"}]}""")
        );
        Assert.Equal(403, (int)forbidden.StatusCode);
        Assert.Contains("permission_error", await forbidden.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        // It is no key for anything but models.
        foreach (var path in new[] { "/api/v1/keys", "/api/v1/usage", "/tools", "/health" })
            Assert.Equal(401, (int)(await client.GetAsync(path)).StatusCode);

        async Task Change(string json) =>
            Assert.Equal(
                200,
                (int)(await _one.Http.PatchAsync($"/api/v1/keys/{id}", OneApiServer.Json(json))).StatusCode
            );
        await Change("""{"expires":"2020-01-01T00:00:00Z"}""");
        await EventuallyAsync(401, client);
        await Change("""{"expires":"2120-01-01T00:00:00Z"}""");
        await EventuallyAsync(200, client);
        await Change("""{"disabled":true}""");
        await EventuallyAsync(401, client);
        await Change("""{"disabled":false}""");
        await EventuallyAsync(200, client);
        Assert.Equal(204, (int)(await _one.Http.DeleteAsync($"/api/v1/keys/{id}")).StatusCode);
        await EventuallyAsync(401, client);
        Assert.Equal(404, (int)(await _one.Http.DeleteAsync($"/api/v1/keys/{id}")).StatusCode);
    }

    private static async Task EventuallyAsync(int status, HttpClient client)
    {
        for (
            var tries = 0;
            (int)(await client.PostAsync("/v1/chat/completions", OneApiServer.Json(Hello))).StatusCode != status;
            tries++
        )
        {
            Assert.True(tries < 200, $"it never became {status}");
            await Task.Delay(50);
        }
    }

    private async Task<long> UsedAsync(string key, string field)
    {
        // Each gateway writes what it counted twice a second.
        for (var tries = 0; ; tries++)
        {
            await _one.Http.GetStringAsync("/api/v1/usage");
            var rows = JsonNode.Parse(await _two.Http.GetStringAsync($"/api/v1/usage?key={key}"))!.AsArray();
            var sum = rows.Sum(row => row![field]!.GetValue<long>());
            if (tries > 0)
                return sum;
        }
    }

    [Fact]
    public async Task Usage_is_there_as_json_and_as_csv()
    {
        var (id, secret) = await KeyAsync("""{"name":"counted"}""");
        using var client = _one.Client(secret);
        for (var i = 0; i < 5; i++)
            await client.PostAsync("/v1/chat/completions", OneApiServer.Json(Hello));
        await client.PostAsync("/v1/chat/completions", OneApiServer.Json("""{"model":"no/such","messages":[]}"""));

        Assert.Equal(
            (6, 1, 5, 50),
            (
                await UsedAsync(id, "requests"),
                await UsedAsync(id, "errors"),
                await UsedAsync(id, "input_tokens"),
                await UsedAsync(id, "output_tokens")
            )
        );
        var csv = (await _one.Http.GetStringAsync($"/api/v1/usage?format=csv&key={id}&model=galaxy/*")).Split("\r\n");
        Assert.Equal("day,key,model,requests,errors,input_tokens,cached_tokens,output_tokens,cost_usd", csv[0]);
        Assert.Matches($@"^\d{{4}}-\d\d-\d\d,{id},galaxy/echo,5,0,5,0,50,0\.105$", csv[1]);
    }

    [Fact]
    public async Task The_secret_is_shown_once_and_kept_nowhere()
    {
        var (id, secret) = await KeyAsync("""{"name":"secret"}""");
        Assert.DoesNotContain(secret, await _one.Http.GetStringAsync("/api/v1/keys"), StringComparison.Ordinal);
        Assert.DoesNotContain(secret, await _one.Http.GetStringAsync($"/api/v1/keys/{id}"), StringComparison.Ordinal);
        await using var redis = await store.ConnectAsync();
        var entries = await redis.GetDatabase().HashGetAllAsync("{galaxy:galaxy}:oneapi:keys");
        Assert.Contains(entries, entry => entry.Name == id);
        foreach (
            var entry in entries.Concat(await redis.GetDatabase().HashGetAllAsync("{galaxy:galaxy}:oneapi:key-hashes"))
        )
            Assert.DoesNotContain(secret, entry.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_question_is_answered_from_the_cache_by_wish_by_any_gateway_and_for_its_asker_only()
    {
        var body = $$"""{"model":"galaxy/echo","messages":[{"role":"user","content":"{{Guid.NewGuid()}}"}]}""";
        var (first, one) = await _one.PostAsync("/v1/chat/completions", body, ("x-galaxy-cache", "60"));
        var (second, two) = await _two.PostAsync("/v1/chat/completions", body, ("x-galaxy-cache", "60"));
        var (third, three) = await _two.PostAsync("/v1/chat/completions", body);
        Assert.Equal(
            ("miss", "hit"),
            (first.Headers.GetValues("x-galaxy-cache").Single(), second.Headers.GetValues("x-galaxy-cache").Single())
        );
        Assert.Equal(one!.ToJsonString(), two!.ToJsonString());
        Assert.NotEqual(one["id"]!.ToString(), three!["id"]!.ToString());
        Assert.False(third.Headers.Contains("x-galaxy-cache"));

        var stream = body.Replace("\"messages\"", "\"stream\":true,\"messages\"", StringComparison.Ordinal);
        var (_, _) = await _one.PostAsync("/v1/chat/completions", stream, ("x-galaxy-cache", "60"));
        var (again, _) = await _two.PostAsync("/v1/chat/completions", stream, ("x-galaxy-cache", "60"));
        Assert.Equal("hit", again.Headers.GetValues("x-galaxy-cache").Single());
        Assert.Equal("text/event-stream", again.Content.Headers.ContentType!.MediaType);
        Assert.EndsWith("data: [DONE]\n\n", await again.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        var (_, secret) = await KeyAsync("""{"name":"another","cache_ttl":60}""");
        using var client = _one.Client(secret);
        Assert.Equal(
            "miss",
            (await client.PostAsync("/v1/chat/completions", OneApiServer.Json(body)))
                .Headers.GetValues("x-galaxy-cache")
                .Single()
        );
        Assert.Equal(
            "hit",
            (await client.PostAsync("/v1/chat/completions", OneApiServer.Json(body)))
                .Headers.GetValues("x-galaxy-cache")
                .Single()
        );
    }

    [Fact]
    public async Task A_response_is_kept_continued_and_forgotten_and_is_nobody_elses()
    {
        var (_, first) = await _one.PostAsync("/v1/responses", """{"model":"galaxy/echo","input":"my name is Ada"}""");
        var id = first!["id"]!.GetValue<string>();
        Assert.Equal(
            id,
            JsonNode.Parse(await _two.Http.GetStringAsync($"/v1/responses/{id}"))!["id"]!.GetValue<string>()
        );

        var (_, second) = await _two.PostAsync(
            "/v1/responses",
            $$"""{"model":"galaxy/echo","previous_response_id":"{{id}}","input":"what is it"}"""
        );
        // Echo counts the words of the whole conversation: 4, its own 13, and 3.
        Assert.Equal(20, second!["usage"]!["input_tokens"]!.GetValue<int>());
        var items = JsonNode.Parse(await _one.Http.GetStringAsync($"/v1/responses/{second["id"]}/input_items"))![
            "data"
        ]!.AsArray();
        Assert.Equal(3, items.Count);

        var (_, secret) = await KeyAsync("""{"name":"stranger"}""");
        using var stranger = _one.Client(secret);
        Assert.Equal(404, (int)(await stranger.GetAsync($"/v1/responses/{id}")).StatusCode);
        Assert.Equal(200, (int)(await _one.Http.DeleteAsync($"/v1/responses/{id}")).StatusCode);
        Assert.Equal(404, (int)(await _one.Http.GetAsync($"/v1/responses/{id}")).StatusCode);

        var (_, unkept) = await _one.PostAsync(
            "/v1/responses",
            """{"model":"galaxy/echo","store":false,"input":"x"}"""
        );
        Assert.Equal(404, (int)(await _one.Http.GetAsync($"/v1/responses/{unkept!["id"]}")).StatusCode);
    }

    [Fact]
    public async Task A_response_that_its_provider_keeps_is_fetched_and_continued_there()
    {
        await using var provider = await FakeProvider.StartAsync();
        provider.Always = FakeProvider.Json(
            200,
            """{"id":"resp_theirs","object":"response","output":[],"usage":{"input_tokens":"""
                + """1,"output_tokens":1},"future":1}"""
        );
        _one.Set(("OneApi:Providers:theirs:BaseUrl", provider.Url), ("OneApi:Providers:theirs:Responses", "true"));
        await _one.PostAsync("/v1/responses", """{"model":"theirs/m","input":"hi"}""");

        Assert.Contains(
            "future",
            await _one.Http.GetStringAsync("/v1/responses/resp_theirs"),
            StringComparison.Ordinal
        );
        await _one.PostAsync(
            "/v1/responses",
            """{"model":"theirs/m","previous_response_id":"resp_theirs","input":"more"}"""
        );

        Assert.Equal("resp_theirs", provider.Requests.Last().Json["previous_response_id"]!.GetValue<string>());
        Assert.Equal("/v1/responses/resp_theirs", provider.Requests.ElementAt(1).Path);
    }
}
