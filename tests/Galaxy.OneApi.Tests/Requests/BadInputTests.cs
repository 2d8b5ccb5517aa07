using System.Text;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Tests.Requests;

/// <summary>
/// Whatever comes in, the answer is an error object of the client's dialect that names the field, and the process goes
/// on.
/// </summary>
public sealed class BadInputTests : IClassFixture<BadInputTests.Server>
{
    public sealed class Server : IAsyncLifetime
    {
        public OneApiServer Api { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Api = await OneApiServer.StartAsync(("ONEAPI_MAX_BODY_MB", "1"));

        public ValueTask DisposeAsync() => Api.DisposeAsync();
    }

    private readonly OneApiServer _server;

    public BadInputTests(Server server) => _server = server.Api;

    private const string User = """[{"role":"user","content":"hi"}]""";

    private static readonly string Deep = new string('[', 5000) + new string(']', 5000);

    public static TheoryData<string, string, int, string> Chats =>
        new()
        {
            { "not JSON", "{nonsense", 400, "JSON" },
            { "torn", """{"model":"galaxy/echo","messages":[""", 400, "JSON" },
            { "not an object", "[1]", 400, "object" },
            { "nothing", "", 400, "JSON" },
            { "no model", $$"""{"messages":{{User}} }""", 400, "'model'" },
            { "a number as model", $$"""{"model":7,"messages":{{User}} }""", 400, "'model'" },
            { "no messages", """{"model":"galaxy/echo"}""", 400, "'messages'" },
            { "no message", """{"model":"galaxy/echo","messages":[]}""", 400, "'messages'" },
            { "a text as messages", """{"model":"galaxy/echo","messages":"hi"}""", 400, "'messages'" },
            {
                "an unknown role",
                """{"model":"galaxy/echo","messages":[{"role":"king","content":"hi"}]}""",
                400,
                "messages[0].role"
            },
            { "no role", """{"model":"galaxy/echo","messages":[{"content":"hi"}]}""", 400, "messages[0].role" },
            { "no content", """{"model":"galaxy/echo","messages":[{"role":"user"}]}""", 400, "messages[0].content" },
            {
                "a number as content",
                """{"model":"galaxy/echo","messages":[{"role":"user","content":7}]}""",
                400,
                "messages[0].content"
            },
            { "hot", $$"""{"model":"galaxy/echo","temperature":99,"messages":{{User}} }""", 400, "'temperature'" },
            {
                "warm in words",
                $$"""{"model":"galaxy/echo","temperature":"warm","messages":{{User}} }""",
                400,
                "'temperature'"
            },
            {
                "negative tokens",
                $$"""{"model":"galaxy/echo","max_tokens":-1,"messages":{{User}} }""",
                400,
                "'max_tokens'"
            },
            { "stream as text", $$"""{"model":"galaxy/echo","stream":"yes","messages":{{User}} }""", 400, "'stream'" },
            {
                "a tool without a name",
                $$"""{"model":"galaxy/echo","tools":[{"type":"function","function":{} }],"messages":{{User}} }""",
                400,
                "tools[0].function.name"
            },
            {
                "twice the same field",
                $$"""{"model":"galaxy/echo","temperature":1,"temperature":2,"messages":{{User}} }""",
                400,
                "'temperature' appears twice"
            },
            { "an unknown model", $$"""{"model":"no/such","messages":{{User}} }""", 404, "no/such" },
            { "an unknown bare model", $$"""{"model":"nothing","messages":{{User}} }""", 404, "nothing" },
            { "a device that is not there", $$"""{"model":"device/x/y","messages":{{User}} }""", 404, "device/x/y" },
            { "deep", $$"""{"model":"galaxy/echo","messages":{{User}},"x":{{Deep}} }""", 400, "JSON" },
            {
                "an image that is none",
                """{"model":"galaxy/echo","messages":[{"role":"user","content":[{"type":"image_url"}]}]}""",
                400,
                "messages[0].content[0].image_url"
            },
            { "too many choices", $$"""{"model":"galaxy/echo","n":100000,"messages":{{User}} }""", 400, "'n'" },
        };

    [Theory]
    [MemberData(nameof(Chats))]
    public async Task An_openai_client_gets_openais_error(string what, string body, int status, string named)
    {
        _ = what;
        var (response, json) = await _server.PostAsync("/v1/chat/completions", body);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains(named, json!["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.False(string.IsNullOrEmpty(json["error"]!["type"]!.GetValue<string>()));
    }

    public static TheoryData<string, string, int, string, string> Messages =>
        new()
        {
            { "not JSON", "{nonsense", 400, "invalid_request_error", "JSON" },
            {
                "no max_tokens",
                $$"""{"model":"galaxy/echo","messages":{{User}} }""",
                400,
                "invalid_request_error",
                "max_tokens"
            },
            {
                "an unknown role",
                """{"model":"galaxy/echo","max_tokens":5,"messages":[{"role":"king","content":"hi"}]}""",
                400,
                "invalid_request_error",
                "messages[0].role"
            },
            {
                "an unknown block",
                """{"model":"galaxy/echo","max_tokens":5,"messages":[{"role":"user","content":[{"text":"hi"}]}]}""",
                400,
                "invalid_request_error",
                "messages[0].content[0].type"
            },
            {
                "an unknown model",
                $$"""{"model":"no/such","max_tokens":5,"messages":{{User}} }""",
                404,
                "not_found_error",
                "no/such"
            },
            {
                "hot",
                $$"""{"model":"galaxy/echo","max_tokens":5,"temperature":1.5,"messages":{{User}} }""",
                400,
                "invalid_request_error",
                "temperature"
            },
            {
                "a wrong choice",
                $$"""{"model":"galaxy/echo","max_tokens":5,"tool_choice":{"type":"whatever" },"messages":{{User}} }""",
                400,
                "invalid_request_error",
                "tool_choice.type"
            },
            {
                "deep",
                $$"""{"model":"galaxy/echo","max_tokens":5,"messages":{{User}},"x":{{Deep}} }""",
                400,
                "invalid_request_error",
                "JSON"
            },
        };

    [Theory]
    [MemberData(nameof(Messages))]
    public async Task An_anthropic_client_gets_anthropics_error(
        string what,
        string body,
        int status,
        string type,
        string named
    )
    {
        _ = what;
        var (response, json) = await _server.PostAsync("/v1/messages", body);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(("error", type), (json!["type"]!.GetValue<string>(), json["error"]!["type"]!.GetValue<string>()));
        Assert.Contains(named, json["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/responses", """{"model":"galaxy/echo"}""", 400, "'input'")]
    [InlineData("/v1/responses", """{"model":"galaxy/echo","input":7}""", 400, "'input'")]
    [InlineData(
        "/v1/responses",
        """{"model":"galaxy/echo","input":[{"type":"message","role":"king","content":"x"}]}""",
        400,
        "input[0].role"
    )]
    [InlineData(
        "/v1/responses",
        """{"model":"galaxy/echo","input":"x","previous_response_id":"resp_none"}""",
        503,
        "store"
    )]
    [InlineData("/v1/completions", """{"model":"galaxy/echo"}""", 400, "'prompt'")]
    [InlineData("/v1/embeddings", """{"model":"galaxy/echo"}""", 400, "'input'")]
    [InlineData("/v1/embeddings", """{"model":"galaxy/echo","input":{"a":1}}""", 400, "'input'")]
    [InlineData("/v1/rerank", """{"model":"galaxy/echo","query":"x"}""", 400, "'documents'")]
    [InlineData("/v1/images/generations", """{"model":"galaxy/echo"}""", 400, "'prompt'")]
    [InlineData("/v1/audio/speech", """{"model":"galaxy/echo"}""", 400, "'input'")]
    [InlineData("/v1/audio/transcriptions", """{"model":"galaxy/echo"}""", 400, "'file'")]
    [InlineData("/v1/moderations", "nonsense", 400, "JSON")]
    public async Task Every_other_endpoint_does_the_same(string path, string body, int status, string named)
    {
        var (response, json) = await _server.PostAsync(path, body);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains(named, json!["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/chat/completions", "error.code", "request_too_large")]
    [InlineData("/v1/messages", "error.type", "request_too_large")]
    [InlineData("/v1/responses", "error.code", "request_too_large")]
    public async Task Too_much_is_refused_whether_its_length_is_told_or_not(string path, string field, string expected)
    {
        var body = Encoding.UTF8.GetBytes(
            $$"""{"model":"galaxy/echo","messages":[{"role":"user","content":"{{new string('x', 1_100_000)}}"}]}"""
        );
        foreach (var isTold in new[] { true, false })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path)
            {
                Content = isTold ? new ByteArrayContent(body) : new StreamContent(new MemoryStream(body)),
            };
            request.Headers.TransferEncodingChunked = !isTold;
            using var response = await _server.Http.SendAsync(request);
            Assert.Equal(413, (int)response.StatusCode);
            var json = JsonNode.Parse(await response.Content.ReadAsStringAsync());
            Assert.Equal(expected, field.Split('.').Aggregate(json, (node, name) => node![name])!.GetValue<string>());
        }
    }

    [Theory]
    [InlineData("/v1/chat/completions", "error.code", "invalid_api_key")]
    [InlineData("/v1/messages", "error.type", "authentication_error")]
    [InlineData("/v1/responses", "error.code", "invalid_api_key")]
    public async Task Whoever_has_no_key_or_a_wrong_one_is_told_in_his_dialect(
        string path,
        string field,
        string expected
    )
    {
        foreach (var key in new[] { null, "wrong", "gxk-0000" })
        {
            using var client = _server.Client(key);
            using var response = await client.PostAsync(
                path,
                OneApiServer.Json("""{"model":"galaxy/echo","messages":[]}""")
            );
            // Without a store a key that was given out cannot be looked up: that is not its owner's fault.
            Assert.Equal(key == "gxk-0000" ? 503 : 401, (int)response.StatusCode);
            if (key == "gxk-0000")
                continue;
            var json = JsonNode.Parse(await response.Content.ReadAsStringAsync());
            Assert.Equal(expected, field.Split('.').Aggregate(json, (node, name) => node![name])!.GetValue<string>());
        }
    }

    [Theory]
    [InlineData("POST", "/api/v1/keys", """{"name":"x"}""", 503)]
    [InlineData("POST", "/api/v1/keys", """{"rpm":1}""", 400)]
    [InlineData("POST", "/api/v1/keys", """{"name":"x","rpm":0}""", 400)]
    [InlineData("POST", "/api/v1/keys", """{"name":"x","budget_per_day":-5}""", 400)]
    [InlineData("POST", "/api/v1/keys", "nonsense", 400)]
    [InlineData("GET", "/api/v1/usage?from=yesterday", "", 400)]
    [InlineData("GET", "/api/v1/usage?from=2026-02-01&to=2026-01-01", "", 400)]
    [InlineData("POST", "/mcp/call", "{}", 400)]
    [InlineData("POST", "/mcp/call", """{"tool":"nothing"}""", 404)]
    [InlineData("GET", "/tools/weather", "", 400)]
    [InlineData("GET", "/tools/search?query=x", "", 503)]
    [InlineData("POST", "/generate_video", """{"prompt":"a cat"}""", 503)]
    public async Task What_is_not_a_model_answers_with_problem_details(
        string method,
        string path,
        string body,
        int status
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body.Length > 0)
            request.Content = OneApiServer.Json(body);
        using var response = await _server.Http.SendAsync(request);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.False(
            string.IsNullOrEmpty(
                JsonNode.Parse(await response.Content.ReadAsStringAsync())!["detail"]!.GetValue<string>()
            )
        );
    }
}
