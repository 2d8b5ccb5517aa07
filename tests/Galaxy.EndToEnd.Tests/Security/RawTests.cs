using System.Net.Sockets;
using System.Text;

namespace Galaxy.EndToEnd.Tests.Security;

/// <summary>What no well-behaved client sends: written to the gateway's socket byte by byte.</summary>
[Collection("system")]
public sealed class RawTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    /// <summary>All that came until the other side closed, or nothing came for a while.</summary>
    private async Task<string> SendAsync(string text, string port = "api", double quietSeconds = 1)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", galaxy.Host.Url("gateway", port).Port);
        var stream = client.GetStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(text));
        }
        catch (IOException)
        {
            // It was refused before all of it was sent.
        }
        return await ReadAsync(stream, quietSeconds);
    }

    private static async Task<string> ReadAsync(NetworkStream stream, double quietSeconds)
    {
        var (answer, buffer) = (new StringBuilder(), new byte[64 * 1024]);
        using var quiet = new CancellationTokenSource();
        try
        {
            while (true)
            {
                quiet.CancelAfter(TimeSpan.FromSeconds(quietSeconds));
                var read = await stream.ReadAsync(buffer, quiet.Token);
                if (read == 0)
                    break;
                answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (Exception over) when (over is OperationCanceledException or IOException)
        {
            // Nothing more comes.
        }
        return answer.ToString();
    }

    private static int Answers(string said) => said.Split("HTTP/1.1 ").Length - 1;

    private static int Status(string said) =>
        said.StartsWith("HTTP/1.1 ", StringComparison.Ordinal)
            ? int.Parse(said[9..12], System.Globalization.CultureInfo.InvariantCulture)
            : 0;

    private static IEnumerable<string> Tricks =>
        from path in new[] { "/api/v1/cluster", "/api/v1/access/keys", "/nodes", "/health" }
        from trick in new[]
        {
            "/{0}",
            "/./{0}",
            "/v1/../{0}",
            "/v1/%2e%2e/{0}",
            "/v1/..%2f{0}",
            "/v1/%2e%2e%2f{0}",
            "/ws/../{0}",
            "/ws/%2e%2e/{0}",
            "/ws/device/..%2f..%2f{0}",
            "/v1/..;/{0}",
            "/alive/../{0}",
            "/alive/%2e%2e/{0}",
            "/docs/../{0}",
            "/V1/%2E%2E/{0}",
            "/%2e/{0}",
            "/v1/..\\{0}",
            "/v1/%5c..%5c{0}",
            "/v1//../{0}",
            "/api/v1/join/../..{0}",
            "/api/v1/join%2f..%2f..{0}",
            "/{0}%00",
            "/{0}?token=x",
        }
        select string.Format(System.Globalization.CultureInfo.InvariantCulture, trick, path.TrimStart('/'));

    [Fact]
    public async Task No_spelling_of_a_path_gets_in_without_a_key()
    {
        List<string> inside = [];
        var paths = Tricks
            .Concat([
                "/API/V1/CLUSTER",
                "/Api/V1/Access/Keys",
                "/NODES",
                "//nodes",
                "/api//v1//cluster",
                "/api/v1/cluster/",
                "/api/v1/cluster%20",
                "/api/v1/%63luster",
            ])
            .ToList();
        foreach (var port in new[] { "api", "ui" })
        {
            foreach (var path in paths)
            {
                foreach (var method in new[] { "GET", "POST", "get", "TRACE", "CONNECT", "OPTIONS" })
                {
                    var said = await SendAsync(
                        $"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                        port,
                        5
                    );
                    // On the console's port an unknown page leads to its sign-in. Nothing tells anything of the
                    // cluster.
                    if (
                        Status(said) is 0 or (>= 200 and < 300)
                        || said.Contains("coordinator-", StringComparison.Ordinal)
                        || said.Contains("\"nodes\"", StringComparison.Ordinal)
                    )
                        inside.Add($"{port}: {method} {path}: {said[..Math.Min(said.Length, 300)]}");
                }
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{paths.Count} paths, 6 methods, 2 ports");
        Assert.True(inside.Count == 0, string.Join('\n', inside.Take(10)));
    }

    public static TheoryData<string, string> Smuggled =>
        new()
        {
            {
                "both lengths",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: "
                    + "chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            },
            {
                "two lengths",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: "
                    + "44\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            },
            {
                "length in hexadecimal",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 0x0\r\n\r\nGET /health "
                    + "HTTP/1.1\r\nHost: x\r\n\r\n"
            },
            {
                "a space before the colon",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n"
                    + "\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            },
            {
                "another encoding",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n"
                    + "\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            },
            {
                "chunked and more",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n"
                    + "\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            },
            {
                "a folded header",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX: a\r\n Transfer-Encoding: chunked\r\n"
                    + "\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            },
            {
                "a chunk that is no number",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"
                    + "\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            },
            {
                "a chunk that overflows",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "FFFFFFFFFFFFFFFFF\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            },
            {
                "a lone line feed in a header",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n"
                    + "0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            },
            {
                "a zero byte",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\nGET /health HTTP/1.1\r\n"
                    + "Host: x\r\n\r\n"
            },
            { "two hosts", "GET /v1/models HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" },
            { "no host", "GET /v1/models HTTP/1.1\r\n\r\n" },
        };

    [Theory]
    [MemberData(nameof(Smuggled))]
    public async Task A_request_whose_end_is_doubtful_is_refused_and_nothing_after_it_is_read(string how, string text)
    {
        var said = await SendAsync(text, quietSeconds: 6);

        // RFC 9112, 6.1: the one that has both lengths may be answered, if the connection is closed then.
        Assert.True(Answers(said) == 1 && Status(said) is 400 or 401 or 501, $"{how}: {said}");
        Assert.DoesNotContain("leads under token", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_follows_a_length_with_a_sign_is_a_request_of_its_own_with_no_more_right()
    {
        // The server reads +0 as 0, and what goes on to the services has a length of the gateway's own making.
        var said = await SendAsync(
            $"PUT /api/v1/state/a/b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {galaxy.Key}\r\n"
                + "Content-Length: +0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n",
            quietSeconds: 6
        );

        Assert.Equal(400, Status(said));
        Assert.All(said.Split("HTTP/1.1 ").Skip(2), second =>
            Assert.StartsWith("401", second, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Headers_and_bodies_that_are_too_large_are_refused()
    {
        var many = string.Concat(Enumerable.Range(0, 200).Select(i => $"X-{i}: 1\r\n"));
        Assert.Equal(431, Status(await SendAsync($"GET /alive HTTP/1.1\r\nHost: x\r\n{many}\r\n")));
        Assert.Equal(
            431,
            Status(await SendAsync($"GET /alive HTTP/1.1\r\nHost: x\r\nX: {new string('a', 100_000)}\r\n\r\n"))
        );
        Assert.Equal(414, Status(await SendAsync($"GET /{new string('a', 100_000)} HTTP/1.1\r\nHost: x\r\n\r\n")));

        var authorized = $"Host: x\r\nAuthorization: Bearer {galaxy.Key}\r\nContent-Type: application/json\r\n";
        Assert.Equal(
            413,
            Status(
                await SendAsync(
                    $"PUT /api/v1/state/a/b HTTP/1.1\r\n{authorized}Content-Length: 99999999999\r\n\r\n",
                    quietSeconds: 5
                )
            )
        );
        // Untold, it is known when it comes.
        var chunk = "100000\r\n" + new string('1', 0x100000) + "\r\n";
        Assert.Equal(
            413,
            Status(
                await SendAsync(
                    $"PUT /api/v1/state/a/b HTTP/1.1\r\n{authorized}Transfer-Encoding: chunked\r\n\r\n"
                        + $"{string.Concat(Enumerable.Repeat(chunk, 20))}0\r\n\r\n",
                    quietSeconds: 10
                )
            )
        );
        using var alive = await galaxy.Http.GetAsync("/alive");
        Assert.True(alive.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Who_sends_his_request_letter_by_letter_is_sent_away()
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", galaxy.Host.Url("gateway", "api").Port);
        var stream = client.GetStream();
        var began = DateTimeOffset.UtcNow;
        var reading = ReadAsync(stream, 30);
        var head = Encoding.ASCII.GetBytes("GET /alive HTTP/1.1\r\nHost: x\r\nX: " + new string('a', 1000));
        for (
            var i = 0;
            !reading.IsCompleted && i < head.Length && DateTimeOffset.UtcNow - began < TimeSpan.FromSeconds(25);
            i++
        )
        {
            try
            {
                await stream.WriteAsync(head.AsMemory(i, 1));
            }
            catch (IOException)
            {
                break;
            }
            await Task.WhenAny(reading, Task.Delay(100));
        }
        var said = await reading;
        Assert.InRange((DateTimeOffset.UtcNow - began).TotalSeconds, 5, 20);
        Assert.True(said.Length == 0 || Status(said) == 408, said);
    }

    [Theory]
    [InlineData("POST", "/galaxy.cluster.v1.Cluster/Watch")]
    [InlineData("POST", "/galaxy.gossip.v1.Gossip/Converse")]
    [InlineData("POST", "/opentelemetry.proto.collector.trace.v1.TraceService/Export")]
    [InlineData("POST", "/v1/traces")]
    [InlineData("POST", "/v1/logs")]
    public async Task What_services_say_to_each_other_cannot_be_said_from_outside_even_with_the_key(
        string method,
        string path
    )
    {
        foreach (var port in new[] { "api", "ui" })
        {
            var said = await SendAsync(
                $"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {galaxy.Key}\r\n"
                    + "Content-Type: application/grpc\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                port,
                5
            );
            Assert.True(Status(said) is 404 or 405 or 415 or 400, said[..Math.Min(300, said.Length)]);
        }
    }
}
