using System.Diagnostics;
using System.IO.Compression;
using System.Text;

namespace Galaxy.OneApi.Tests.Relay;

/// <summary>Keys of providers are in no log, trace, metric or answer, whatever goes wrong.</summary>
public sealed class SecretTests
{
    private const string Secret = "sk-proj-Zq81LmVtX0aKpR4uWc7yTn2s";
    private const string Prompt = "what-is-said-stays-with-those-who-say-it";

    [Fact]
    public async Task A_providers_key_is_nowhere_to_be_found()
    {
        await using var provider = await FakeProvider.StartAsync();
        await using var receiver = await FakeProvider.StartAsync();
        receiver.Always = FakeProvider.Json(200, "{}");
        var collector = receiver.Url[..^3];
        var said = new StringBuilder();
        await using (
            var server = await OneApiServer.StartAsync(
                ("OTEL_EXPORTER_OTLP_ENDPOINT", collector),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
                ("Logging:LogLevel:Default", "Trace"),
                ("OneApi:Models:Log", "true"),
                ("OneApi:Providers:p:BaseUrl", provider.Url),
                ("OneApi:Providers:p:ApiKey", Secret),
                ("OneApi:Providers:p:Models:0", "m"),
                ("OneApi:Providers:p:TimeoutSeconds", "0.5"),
                ("OneApi:Providers:unlisted:BaseUrl", provider.Url),
                ("OneApi:Providers:unlisted:ApiKey", Secret),
                ("OneApi:Providers:g:BaseUrl", provider.Url),
                ("OneApi:Providers:g:Dialect", "gemini"),
                ("OneApi:Providers:g:ApiKey", Secret),
                ("OneApi:Providers:g:Models:0", "m"),
                ("OneApi:Providers:away:BaseUrl", "http://127.0.0.1:9/v1"),
                ("OneApi:Providers:away:ApiKey", Secret),
                ("OneApi:Providers:away:Models:0", "m")
            )
        )
        {
            // Providers like to repeat what they refuse.
            var repeats =
                $$$"""{"error":{"message":"Incorrect API key provided: {{{Secret}}}. Or """
                + $$$"""{{{Secret[..12]}}}********{{{Secret[^4..]}}}.","code":"invalid_api_key"}}""";
            const string Messages = $"\"messages\":[{{\"role\":\"user\",\"content\":\"{Prompt}\"}}]";
            (string, string)[] contents =
            [
                ("/v1/embeddings", "\"input\":\"x\""),
                ("/v1/messages", "\"max_tokens\":5," + Messages),
                ("/v1/chat/completions", Messages),
            ];
            // A key that is refused or limited rests, so each provider's way ends with one of these.
            foreach (
                var (model, statuses) in new (string, int[])[]
                {
                    ("p/m", [200, 400, 404, 500, 503, 401]),
                    ("g/m", [200, 400, 500, 429]),
                    ("unlisted/m", [200, 403]),
                    ("away/m", [0]),
                }
            )
            {
                foreach (var status in statuses)
                {
                    provider.Always = FakeProvider.Json(
                        status,
                        status == 200 ? $"not JSON: {Secret}" : repeats,
                        ("Retry-After", "100")
                    );
                    foreach (var (path, content) in contents)
                    {
                        using var response = await server.Http.PostAsync(
                            path,
                            OneApiServer.Json($$"""{"model":"{{model}}",{{content}} }""")
                        );
                        said.Append(response.Headers).Append(await response.Content.ReadAsStringAsync());
                    }
                }
            }
            provider.Always = FakeProvider.Stream(
                $"data: {{\"choices\":[{{\"delta\":{{\"content\":\"x\"}}}}]}}\n\ndata: garbage {Secret}\n\n"
            );
            using var stream = await server.Http.PostAsync(
                "/v1/messages",
                OneApiServer.Json(
                    """{"model":"p/m","max_tokens":5,"stream":true,"messages":[{"role":"user","content":"x"}]}"""
                )
            );
            said.Append(await stream.Content.ReadAsStringAsync());
            foreach (var path in new[] { "/v1/models", "/health", "/openapi/v1.json", "/api/v1/usage", "/tools" })
                said.Append(await (await server.Http.GetAsync(path)).Content.ReadAsStringAsync());
            await EventuallyAsync(() =>
                Told(receiver, "/v1/traces").Contains("gen_ai", StringComparison.Ordinal)
                && Told(receiver, "/v1/logs").Length > 0
            );
        }
        await EventuallyAsync(() =>
            Told(receiver, "/v1/metrics").Contains("gen_ai.client.operation.duration", StringComparison.Ordinal)
        );

        foreach (var part in new[] { Secret, Secret[..12], Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret)) })
        {
            Assert.DoesNotContain(part, said.ToString(), StringComparison.Ordinal);
            foreach (var signal in new[] { "/v1/traces", "/v1/logs", "/v1/metrics" })
                Assert.DoesNotContain(part, Told(receiver, signal), StringComparison.Ordinal);
        }
        foreach (var signal in new[] { "/v1/traces", "/v1/logs", "/v1/metrics" })
            Assert.DoesNotContain(Prompt, Told(receiver, signal), StringComparison.Ordinal);
        // It was used, or the search would prove nothing.
        Assert.Contains(provider.Requests, request =>
            request.Headers.Authorization.ToString().Contains(Secret, StringComparison.Ordinal)
        );
        Assert.Contains("p/m", Told(receiver, "/v1/logs"), StringComparison.Ordinal);
    }

    private static string Told(FakeProvider receiver, string path) =>
        string.Concat(receiver.Requests.Where(request => request.Path == path).Select(request => Text(request)));

    private static string Text(Received request)
    {
        if (request.Headers.ContentEncoding != "gzip")
            return Encoding.UTF8.GetString(request.Body);
        using var zip = new GZipStream(new MemoryStream(request.Body), CompressionMode.Decompress);
        using var text = new MemoryStream();
        zip.CopyTo(text);
        return Encoding.UTF8.GetString(text.ToArray());
    }

    private static async Task EventuallyAsync(Func<bool> condition)
    {
        for (var began = Stopwatch.GetTimestamp(); !condition(); )
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30), "it did not happen");
            await Task.Delay(50);
        }
    }
}
