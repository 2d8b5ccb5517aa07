using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Tests.Relay;

/// <summary>
/// The first provider refuses in every way that there is; the second one answers, and the client sees one clean answer.
/// </summary>
public sealed class FallbackTests : IAsyncLifetime
{
    private const string Chunk =
        """data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":"""
        + """0,"delta":{"content":"tok"},"finish_reason":null}]}"""
        + "\n\n";
    private const string Role =
        """data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"""
        + "\n\n";
    private const string Stop =
        """data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":"""
        + """0,"delta":{},"finish_reason":"stop"}]}"""
        + "\n\n";
    private const string Done = "data: [DONE]\n\n";

    private FakeProvider _first = null!;
    private FakeProvider _second = null!;
    private OneApiServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        (_first, _second) = (await FakeProvider.StartAsync(), await FakeProvider.StartAsync());
        _server = await OneApiServer.StartAsync(
            ("OneApi:Providers:first:BaseUrl", _first.Url),
            ("OneApi:Providers:first:ApiKey", "sk-first-0123456789abcdef"),
            ("OneApi:Providers:first:TimeoutSeconds", "1"),
            ("OneApi:Providers:first:Models:0", "m"),
            ("OneApi:Providers:second:BaseUrl", _second.Url),
            ("OneApi:Providers:second:ApiKey", "sk-second-0123456789abcdef"),
            ("OneApi:Providers:second:TimeoutSeconds", "1"),
            ("OneApi:Providers:second:Models:0", "m"),
            ("OneApi:Models:Routes:0:Name", "both"),
            ("OneApi:Models:Routes:0:Targets:0:Model", "first/m"),
            ("OneApi:Models:Routes:0:Fallbacks:0", "second/m")
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    public static TheoryData<string> Refusals =>
        [
            "429",
            "429-late",
            "500",
            "401",
            "404",
            "reset",
            "hang",
            "garbage",
            "error-in-200",
            "truncated",
            "cut-before-token",
            "reset-before-token",
            "hang-before-token",
            "error-before-token",
            "no-stream-at-all",
        ];

    private static Func<Microsoft.AspNetCore.Http.HttpContext, Task> Refusal(string how) =>
        how switch
        {
            "429" => FakeProvider.Json(
                429,
                """{"error":{"message":"slow down","type":"rate_limit","code":null}}""",
                ("Retry-After", "1")
            ),
            "429-late" => FakeProvider.Json(
                429,
                """{"error":{"message":"slow down","type":"rate_limit","code":null}}""",
                ("Retry-After", "3600")
            ),
            "500" => FakeProvider.Json(500, "<html>oops</html>"),
            "401" => FakeProvider.Json(
                401,
                """{"error":{"message":"Incorrect API key provided: """
                    + """sk-first-0123456789abcdef","type":"invalid_request_error","code":"invalid_api_key"}}"""
            ),
            "404" => FakeProvider.Json(404, """{"error":{"message":"no such model","code":"model_not_found"}}"""),
            "reset" => context =>
            {
                context.Abort();
                return Task.CompletedTask;
            },
            "hang" => FakeProvider.Hanging(),
            "garbage" => FakeProvider.Json(200, "this is no JSON"),
            "error-in-200" => FakeProvider.Json(200, """{"error":{"message":"overloaded","code":503}}"""),
            "truncated" => FakeProvider.Json(200, """{"id":"chatcmpl-1","choices":[{"index":0,"mess"""),
            "cut-before-token" => FakeProvider.Stream(Role),
            "reset-before-token" => FakeProvider.Torn(Role),
            "hang-before-token" => FakeProvider.Hanging(Role),
            "error-before-token" => FakeProvider.Stream(Role, "data: {\"error\":{\"message\":\"overloaded\"}}\n\n"),
            "no-stream-at-all" => FakeProvider.Stream("data: nonsense\n\n"),
            _ => throw new ArgumentException(how),
        };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refusal_before_the_first_token_is_never_seen(string how)
    {
        var isStream = how.EndsWith("-token", StringComparison.Ordinal) || how == "no-stream-at-all";
        _first.Always = Refusal(how);
        if (isStream)
            _second.Always = FakeProvider.Stream(Role, Chunk, Stop, Done);

        var (response, json) = await _server.PostAsync(
            "/v1/chat/completions",
            $$"""{"model":"both","stream":{{(isStream ? "true" : "false")}},"messages":[{"role":"user","content":"hi"}]}"""
        );

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal("second", response.Headers.GetValues("x-galaxy-provider").Single());
        Assert.Equal("2", response.Headers.GetValues("x-galaxy-attempts").Single());
        if (isStream)
            Assert.Equal(Role + Chunk + Stop + Done, await response.Content.ReadAsStringAsync());
        else
            Assert.Equal("fine", json!["choices"]![0]!["message"]!["content"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("reset")]
    [InlineData("hang")]
    public async Task After_the_first_token_the_stream_ends_with_an_error_and_never_in_silence(string how)
    {
        _first.Always = how switch
        {
            "cut" => FakeProvider.Stream(Role, Chunk),
            "reset" => FakeProvider.Torn(Role, Chunk),
            _ => FakeProvider.Hanging(Role, Chunk),
        };

        using var response = await _server.Http.PostAsync(
            "/v1/chat/completions",
            OneApiServer.Json("""{"model":"both","stream":true,"messages":[{"role":"user","content":"hi"}]}""")
        );
        var text = await response.Content.ReadAsStringAsync();

        Assert.StartsWith(Role + Chunk, text, StringComparison.Ordinal);
        var last = JsonNode.Parse(text[(Role + Chunk).Length..].Trim()["data: ".Length..])!;
        Assert.Contains("first", last["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Empty(_second.Requests);
    }

    [Fact]
    public async Task An_anthropic_client_is_told_in_its_own_words_that_a_stream_broke_off()
    {
        _first.Always = FakeProvider.Torn(Role, Chunk);

        using var response = await _server.Http.PostAsync(
            "/v1/messages",
            OneApiServer.Json(
                """{"model":"both","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}"""
            )
        );
        var text = await response.Content.ReadAsStringAsync();

        Assert.Contains("\"text\":\"tok\"", text, StringComparison.Ordinal);
        Assert.Contains(
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\"",
            text,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("message_stop", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limit_of_the_only_provider_is_waited_for_when_it_is_short()
    {
        _first.Next.Enqueue(Refusal("429"));

        var (response, _) = await _server.PostAsync(
            "/v1/chat/completions",
            """{"model":"first/m","messages":[{"role":"user","content":"hi"}]}"""
        );

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal("2", response.Headers.GetValues("x-galaxy-attempts").Single());
    }

    [Fact]
    public async Task A_long_limit_is_passed_on_and_remembered()
    {
        _first.Always = Refusal("429-late");

        var (response, json) = await _server.PostAsync(
            "/v1/chat/completions",
            """{"model":"first/m","messages":[{"role":"user","content":"hi"}]}"""
        );
        Assert.Equal(429, (int)response.StatusCode);
        Assert.Equal("slow down", json!["error"]!["message"]!.GetValue<string>());
        Assert.Equal(3600, response.Headers.RetryAfter!.Delta!.Value.TotalSeconds);

        (response, _) = await _server.PostAsync(
            "/v1/chat/completions",
            """{"model":"first/m","messages":[{"role":"user","content":"hi"}]}"""
        );
        Assert.Equal(429, (int)response.StatusCode);
        Assert.InRange(response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 3500, 3600);
        Assert.Single(_first.Requests);
    }

    [Fact]
    public async Task What_is_wrong_with_the_request_is_said_in_the_providers_own_words_and_nobody_else_is_asked()
    {
        const string Own =
            """{"error":{"message":"Invalid 'temperature'","type":"invalid_request_error","param":"temperature","code":"whatever","new_field":1}}""";
        _first.Always = FakeProvider.Json(400, Own);

        using var response = await _server.Http.PostAsync(
            "/v1/chat/completions",
            OneApiServer.Json("""{"model":"both","messages":[{"role":"user","content":"hi"}]}""")
        );

        Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal(Own, await response.Content.ReadAsStringAsync());
        Assert.Empty(_second.Requests);
    }

    [Fact]
    public async Task A_refused_key_is_no_fault_of_the_clients_and_is_not_shown()
    {
        _first.Always = Refusal("401");

        var (response, json) = await _server.PostAsync(
            "/v1/chat/completions",
            """{"model":"first/m","messages":[{"role":"user","content":"hi"}]}"""
        );

        Assert.Equal(502, (int)response.StatusCode);
        Assert.DoesNotContain("sk-first", json!.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("refused its key", json.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_take_turns_and_a_limited_one_rests()
    {
        _server.Set(("OneApi:Providers:first:ApiKeys:0", "sk-other-0123456789abcdef"));
        for (var i = 0; i < 4; i++)
            await _server.PostAsync(
                "/v1/chat/completions",
                """{"model":"first/m","messages":[{"role":"user","content":"hi"}]}"""
            );
        Assert.Equal(2, _first.Requests.Select(request => request.Headers.Authorization.ToString()).Distinct().Count());

        _first.Requests.Clear();
        _first.Next.Enqueue(Refusal("429-late"));
        for (var i = 0; i < 4; i++)
        {
            var (response, _) = await _server.PostAsync(
                "/v1/chat/completions",
                """{"model":"first/m","messages":[{"role":"user","content":"hi"}]}"""
            );
            Assert.Equal(200, (int)response.StatusCode);
        }
        var used = _first.Requests.Select(request => request.Headers.Authorization.ToString()).ToList();
        Assert.Equal(5, used.Count);
        Assert.Single(used.Skip(1).Distinct());
        Assert.NotEqual(used[0], used[1]);
    }

    [Theory]
    [InlineData("context_length_exceeded", "ContextFallbacks")]
    [InlineData("content_filter", "ContentFilterFallbacks")]
    public async Task A_conversation_that_is_too_long_or_too_much_goes_to_the_model_named_for_that(
        string code,
        string list
    )
    {
        _server.Set(
            ("OneApi:Models:Routes:1:Name", "careful"),
            ("OneApi:Models:Routes:1:Targets:0:Model", "first/m"),
            ($"OneApi:Models:Routes:1:{list}:0", "second/m")
        );
        _first.Always = FakeProvider.Json(400, $$$"""{"error":{"message":"no","code":"{{{code}}}"}}""");

        var (response, _) = await _server.PostAsync(
            "/v1/chat/completions",
            """{"model":"careful","messages":[{"role":"user","content":"hi"}]}"""
        );
        Assert.Equal("second", response.Headers.GetValues("x-galaxy-provider").Single());

        (response, var json) = await _server.PostAsync(
            "/v1/chat/completions",
            """{"model":"first/m","messages":[{"role":"user","content":"hi"}]}"""
        );
        Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal(code, json!["error"]!["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task Auto_asks_what_is_there_and_echo_when_nothing_is()
    {
        var (response, _) = await _server.PostAsync(
            "/v1/chat/completions",
            """{"model":"auto","messages":[{"role":"user","content":"hi"}]}"""
        );
        Assert.Contains(response.Headers.GetValues("x-galaxy-provider").Single(), new[] { "first", "second" });

        _server.Set(("OneApi:Models:Auto:0", "second"));
        (response, _) = await _server.PostAsync(
            "/v1/chat/completions",
            """{"model":"auto","messages":[{"role":"user","content":"hi"}]}"""
        );
        Assert.Equal("second", response.Headers.GetValues("x-galaxy-provider").Single());
    }
}
