using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Tests.Relay;

/// <summary>The same dialect in and out: not a byte is lost or changed but the name of the model.</summary>
public sealed class PassThroughTests : IAsyncLifetime
{
    private FakeProvider _provider = null!;
    private OneApiServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _provider = await FakeProvider.StartAsync();
        _server = await OneApiServer.StartAsync(
            ("OneApi:Providers:p:BaseUrl", _provider.Url),
            ("OneApi:Providers:p:Models:0", "m"),
            ("OneApi:Providers:p:Responses", "true"),
            ("OneApi:Providers:p:ApiKey", "sk-upstream-0123456789abcdef"),
            ("OneApi:Providers:a:BaseUrl", _provider.Url),
            ("OneApi:Providers:a:Dialect", "anthropic"),
            ("OneApi:Providers:a:Models:0", "m"),
            ("OneApi:Providers:a:ApiKey", "sk-ant-0123456789abcdef")
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _provider.DisposeAsync();
    }

    [Fact]
    public async Task Fields_that_nobody_has_heard_of_survive_both_ways()
    {
        const string Answer =
            """{"id":"x","new_top":[1, 2.50, {"a":null}],"choices":[{"index":0,"message":"""
            + """{"role":"assistant","content":"ok","brand_new":"""
            + """{"x":"é\u00e9"}},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":"""
            + """1,"total_tokens":2,"new_usage":7}}""";
        _provider.Always = FakeProvider.Json(200, Answer);
        const string Asked =
            """{ "future_field" : {"deep":[true, 1e400, "\ud83d\ude00"]},"messages":["""
            + """{"role":"future_role","content":"hi","x":1.0}],   "model":"p/m","top_logprobs":3}""";

        using var response = await _server.Http.PostAsync("/v1/chat/completions", OneApiServer.Json(Asked));

        Assert.Equal(Answer, await response.Content.ReadAsStringAsync());
        Assert.Equal(
            Asked.Replace("\"p/m\"", "\"m\"", StringComparison.Ordinal),
            Encoding.UTF8.GetString(_provider.Requests.Single().Body)
        );
    }

    [Theory]
    [InlineData("/v1/chat/completions", "p/m", "messages", "chat.txt")]
    [InlineData("/v1/messages", "a/m", "messages", "messages.txt")]
    [InlineData("/v1/responses", "p/m", "input", "responses.txt")]
    public async Task Streams_are_the_same_to_the_byte(string path, string model, string field, string kind)
    {
        // Comments, unknown events and fields, carriage returns, pieces cut in the middle of a letter.
        var stream = kind switch
        {
            "chat.txt" => ": keep-alive\r\n\r\ndata: {\"id\":\"1\",\"future\":{\"é\":1},\"choices\":[{\"index\":0,"
                + "\"delta\":{\"content\":\"é\"}}]}\r\n\r\nevent: surprise\ndata: {\"x\":1}\n\n"
                + "data:{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: "
                + "[DONE]\n\n",
            "messages.txt" => "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"1\","
                + "\"usage\":{\"input_tokens\":1}},\"future\":1}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n"
                + "\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
                + "\"delta\":{\"type\":\"text_delta\",\"text\":\"é\"}}\n\nevent: future_event\ndata: "
                + "{\"type\":\"future_event\"}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\","
                + "\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":5}}\n\nevent: "
                + "message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
            _ => "event: response.created\ndata: {\"type\":\"response.created\","
                + "\"response\":{\"id\":\"r1\"}}\n\nevent: response.future.thing\ndata: "
                + "{\"type\":\"response.future.thing\"}\n\nevent: response.output_text.delta\ndata: "
                + "{\"type\":\"response.output_text.delta\",\"delta\":\"é\"}\n\nevent: response.completed\n"
                + "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r1\","
                + "\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}}\n\n",
        };
        var bytes = Encoding.UTF8.GetBytes(stream);
        _provider.Always = async context =>
        {
            context.Response.ContentType = "text/event-stream";
            for (var at = 0; at < bytes.Length; at += 7)
            {
                await context.Response.Body.WriteAsync(bytes.AsMemory(at, Math.Min(7, bytes.Length - at)));
                await context.Response.Body.FlushAsync();
            }
        };

        using var response = await _server.Http.PostAsync(
            path,
            OneApiServer.Json(
                $$"""{"model":"{{model}}","stream":true,"max_tokens":5,"{{field}}":[{"role":"user","content":"hi"}]}"""
            )
        );

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(bytes, await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Features_that_a_client_switches_on_by_header_reach_the_provider_and_its_key_does_not()
    {
        _provider.Always = FakeProvider.Json(
            200,
            """{"type":"message","id":"m","content":[{"type":"text","text":"ok"}],"usage":{"input_tokens":1,"output_tokens":1}}""",
            ("anthropic-ratelimit-requests-remaining", "7"),
            ("request-id", "req_1"),
            ("Set-Cookie", "a=b")
        );

        var (response, _) = await _server.PostAsync(
            "/v1/messages",
            """{"model":"a/m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}""",
            ("anthropic-beta", "future-2027"),
            ("anthropic-version", "2023-06-01"),
            ("x-secret", "mine")
        );

        var sent = _provider.Requests.Single().Headers;
        Assert.Equal(
            ("future-2027", "2023-06-01", "sk-ant-0123456789abcdef"),
            (sent["anthropic-beta"].ToString(), sent["anthropic-version"].ToString(), sent["x-api-key"].ToString())
        );
        Assert.False(
            sent.ContainsKey("Authorization") || sent.ContainsKey("x-secret") || sent.ContainsKey("traceparent")
        );
        Assert.Equal("7", response.Headers.GetValues("anthropic-ratelimit-requests-remaining").Single());
        Assert.Equal("req_1", response.Headers.GetValues("request-id").Single());
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task The_first_token_is_not_held_back()
    {
        var go = new TaskCompletionSource();
        _provider.Always = async context =>
        {
            await FakeProvider.Stream("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one\"}}]}\n\n")(
                context
            );
            await go.Task;
            await FakeProvider.Stream("data: [DONE]\n\n")(context);
        };

        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = OneApiServer.Json("""{"model":"p/m","stream":true,"messages":[]}"""),
        };
        using var response = await _server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[1000];
        var read = await body.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Contains("one", Encoding.UTF8.GetString(buffer, 0, read), StringComparison.Ordinal);
        go.SetResult();
    }

    [Theory]
    [InlineData("/v1/chat/completions", true)]
    [InlineData("/v1/chat/completions", false)]
    [InlineData("/v1/messages", true)]
    public async Task A_client_that_goes_away_takes_its_upstream_request_along(string path, bool stream)
    {
        _provider.Always = stream
            ? FakeProvider.Hanging("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one\"}}]}\n\n")
            : FakeProvider.Hanging();
        using var leave = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = OneApiServer.Json(
                $$"""{"model":"p/m","max_tokens":5,"stream":{{(stream ? "true" : "false")}},"messages":["""
                    + $$"""{"role":"user","content":"x"}]}"""
            ),
        };
        var sending = _server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leave.Token);
        await Eventually(() => _provider.Open == 1);
        if (stream)
            (await sending).Dispose();
        else
            await leave.CancelAsync();

        var left = Stopwatch.GetTimestamp();
        await Eventually(() => _provider.Aborted == 1 && _provider.Open == 0);
        Assert.InRange(Stopwatch.GetElapsedTime(left).TotalMilliseconds, 0, 2000);
    }

    [Fact]
    public async Task Hundreds_of_streams_that_are_left_leave_nothing_behind()
    {
        _provider.Always = FakeProvider.Hanging(
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one\"}}]}\n\n"
        );
        for (var round = 0; round < 6; round++)
        {
            await Task.WhenAll(
                Enumerable
                    .Range(0, 50)
                    .Select(async _ =>
                    {
                        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
                        {
                            Content = OneApiServer.Json("""{"model":"p/m","stream":true,"messages":[]}"""),
                        };
                        using var response = await _server.Http.SendAsync(
                            request,
                            HttpCompletionOption.ResponseHeadersRead
                        );
                    })
            );
        }

        await Eventually(() => _provider.Open == 0);
        Assert.Equal(300, _provider.Aborted);
    }

    [Fact]
    public async Task A_transcription_keeps_its_form_and_speech_its_bytes()
    {
        _provider.Always = FakeProvider.Json(200, "plain words");
        using var form = new MultipartFormDataContent
        {
            { new StringContent("p/m"), "\"model\"" },
            { new ByteArrayContent([0, 1, 2, 255, 13, 10]), "\"file\"", "a.wav" },
            { new StringContent("text"), "\"response_format\"" },
        };
        using var text = await _server.Http.PostAsync("/v1/audio/transcriptions", form);
        Assert.Equal("plain words", await text.Content.ReadAsStringAsync());
        var sent = Encoding.Latin1.GetString(_provider.Requests.Last().Body);
        Assert.Contains("\r\n\r\nm\r\n--", sent, StringComparison.Ordinal);
        Assert.Contains("\0\u0001\u0002\u00ff\r\n\r\n--", sent, StringComparison.Ordinal);

        byte[] sound = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 7))];
        _provider.Always = async context =>
        {
            context.Response.ContentType = "audio/mpeg";
            await context.Response.Body.WriteAsync(sound);
        };
        using var speech = await _server.Http.PostAsync(
            "/v1/audio/speech",
            OneApiServer.Json("""{"model":"p/m","input":"hi","voice":"x"}""")
        );
        Assert.Equal("audio/mpeg", speech.Content.Headers.ContentType!.MediaType);
        Assert.Equal(sound, await speech.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task What_cannot_be_carried_over_is_named_or_dropped_by_wish()
    {
        var (response, json) = await _server.PostAsync(
            "/v1/chat/completions",
            """{"model":"a/m","seed":7,"logit_bias":{"1":2},"messages":[{"role":"user","content":"hi"}]}"""
        );
        Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal("unsupported_parameter", json!["error"]!["code"]!.GetValue<string>());
        var message = json["error"]!["message"]!.GetValue<string>();
        Assert.True(
            message.Contains("seed", StringComparison.Ordinal)
                && message.Contains("logit_bias", StringComparison.Ordinal),
            message
        );
        Assert.Empty(_provider.Requests);

        _provider.Always = FakeProvider.Json(
            200,
            """{"type":"message","id":"m","model":"m","content":["""
                + """{"type":"text","text":"ok"}],"stop_reason":"end_turn","usage":{"input_tokens":"""
                + """1,"output_tokens":1}}"""
        );
        (response, json) = await _server.PostAsync(
            "/v1/chat/completions",
            """{"model":"a/m","drop_params":true,"seed":7,"store":true,"messages":[{"role":"user","content":"hi"}]}"""
        );
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal("seed, store", response.Headers.GetValues("x-galaxy-dropped").Single());
        Assert.Equal(
            ["max_tokens", "messages", "model"],
            _provider.Requests.Single().Json.Select(field => field.Key).Order()
        );
    }

    private static async Task Eventually(Func<bool> condition)
    {
        for (var began = Stopwatch.GetTimestamp(); !condition(); )
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(20), "it did not happen");
            await Task.Delay(5);
        }
    }
}
