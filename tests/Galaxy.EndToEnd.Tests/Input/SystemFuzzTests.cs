using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using Galaxy.Contracts.Api;
using Galaxy.Core.Tests.Fuzzing;

namespace Galaxy.EndToEnd.Tests.Input;

/// <summary>
/// Damaged bodies and frames through a running system with devices. <c>GALAXY_FUZZ_SYSTEM=100000</c> for the long run.
/// </summary>
[Collection("poisoned system")]
public sealed class SystemFuzzTests(RunningGalaxy galaxy)
{
    private const int Clients = 6;
    private const int MaxLength = 4096;

    private static readonly (string Verb, string Path, string Body)[] Requests =
    [
        (
            "POST",
            "/api/v1/tasks",
            """{"action":"fuzzed","params":{"text":"hé","list":[null,{"x":"\ud83d\ude00"}]},"priority":"""
                + """8,"required_devices":["fuzzer"],"tags":["a"],"retry":{"max_attempts":2}}"""
        ),
        (
            "POST",
            "/api/v1/tasks",
            """{"name":"n","subtasks":[{"name":"a","action":"fuzzed","params":[1]},{"name":"b","action":"fuzzed","depends_on":["a"]}],"gang":false}"""
        ),
        ("POST", "/api/v1/tasks/batch", """[{"action":"fuzzed"},{"action":"fuzzed","params":{"x":1}}]"""),
        (
            "POST",
            "/api/v1/devices/register",
            """{"device_id":"fuzzed","device_type":"phone","capabilities":["a",{"name":"b","parameters":"""
                + """{"type":"object"}}],"slots":2,"tags":["t"],"weight":1.5}"""
        ),
        (
            "POST",
            "/api/v1/command",
            """{"command":"c","targets":["fuzzer","nobody"],"params":{"x":1},"mode":"async","timeout":1}"""
        ),
        ("POST", "/api/v1/groups", """{"group_id":"fuzzed","name":"n","devices":["a","b"]}"""),
        ("PUT", "/api/v1/state/fuzzed/key", """{"value":[1,2,{"x":null}]}"""),
        (
            "POST",
            "/register",
            """{"node_id":"fuzzed","url":"http://127.0.0.1:1/","capabilities":[{"name":"x","parameters":"""
                + """{"type":"object","properties":{"a":{"type":"string"}}}}],"labels":"""
                + """{"a":"b"},"ttl_seconds":5}"""
        ),
        ("POST", "/tools/discover", """{"query":"echo"}"""),
        (
            "POST",
            "/v1/chat/completions",
            """{"model":"echo","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]}"""
        ),
        ("POST", "/v1/messages", """{"model":"echo","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}"""),
        ("POST", "/v1/responses", """{"model":"echo","input":"hi"}"""),
    ];

    private static readonly string[] Frames =
    [
        """{"type":"hello","device_id":"fuzzer","capabilities":[{"name":"fuzzed","version":2}],"slots":"""
            + """4,"running":["t.1"],"labels":["l"]}""",
        """{"type":"task_result","task_id":"t","attempt_id":"t.1","status":"completed","result":{"deep":[[1]]}}""",
        """{"protocol":"AIP/1.0","type":"status_update","from":"fuzzer","payload":{"status":"idle","load":0.5}}""",
        """{"type":"credit","slots":3}""",
        """{"type":"progress","task_id":"t","attempt_id":"t.1","progress":0.5}""",
        """{"type":"heartbeat"}""",
    ];

    private static readonly string[] Words =
    [
        "null",
        "[null]",
        "\"\\ud800\"",
        "\\udc00",
        "{}",
        "[]",
        "1e999",
        "-1",
        "99999999999999999999",
        "true",
        "\"\"",
        ",\"action\":\"x\"",
        "\"params\":{}",
        ",",
        ":",
        "\\u0000",
        "[[[[[[[[",
    ];

    private static int Inputs =>
        Environment.GetEnvironmentVariable("GALAXY_FUZZ_SYSTEM") is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : 3000;

    [Fact]
    public async Task Damaged_bodies_and_frames_start_nothing_again_close_nobody_elses_socket_and_are_no_defect()
    {
        var before = galaxy.Host.Names.ToDictionary(name => name, name => galaxy.Host.ProcessId(name));
        using var bystander = await ConnectAsync("bystander");
        var problems = new ConcurrentQueue<string>();
        var (sent, answered) = (0, new ConcurrentDictionary<int, int>());

        await Task.WhenAll(
            Enumerable
                .Range(0, Clients)
                .Select(async client =>
                {
                    var random = new Random(client);
                    var mutator = new Mutator(random, [.. Words.Select(Encoding.UTF8.GetBytes)], MaxLength);
                    var kept = Requests.Select(request => Encoding.UTF8.GetBytes(request.Body)).ToList();
                    while (Interlocked.Increment(ref sent) <= Inputs * 4 / 5)
                    {
                        var request = Requests[random.Next(Requests.Length)];
                        var status = await SendAsync(
                            request.Verb,
                            request.Path,
                            random.Next(2) == 0
                                ? mutator.Damage([Encoding.UTF8.GetBytes(request.Body)])
                                : mutator.Damage(kept),
                            problems
                        );
                        answered.AddOrUpdate(status, 1, (_, count) => count + 1);
                    }
                })
        );
        var frames = await SendFramesAsync(Inputs / 5);

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Inputs * 4 / 5} bodies, {frames} frames; {string.Join(", ", answered.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key}: {pair.Value}"))}"
        );
        Assert.True(problems.IsEmpty, $"{problems.Count} problems:\n{string.Join('\n', problems.Take(40))}");
        Assert.Equal(before, galaxy.Host.Names.ToDictionary(name => name, name => galaxy.Host.ProcessId(name)));
        Assert.Equal([], Health.DefectsOf(galaxy));
        Assert.Equal(WebSocketState.Open, bystander.State);
        await galaxy.SettledAsync();
        Assert.Equal(
            TaskState.Completed,
            (
                await galaxy.FinishedAsync(
                    await galaxy.SubmitAsync(new { action = "echo", @params = new { text = "well" } })
                )
            ).State
        );
    }

    private async Task<int> SendAsync(string verb, string path, byte[] body, ConcurrentQueue<string> problems)
    {
        using var request = new HttpRequestMessage(new HttpMethod(verb), path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var answer = await galaxy.Http.SendAsync(request, TestContext.Current.CancellationToken);
        // A full queue says so with 503 and Retry-After; a provider that fails is a 502 of its own.
        if (
            (int)answer.StatusCode == 500
            || (
                (int)answer.StatusCode > 500
                && !path.StartsWith("/v1/", StringComparison.Ordinal)
                && answer.Headers.RetryAfter is null
            )
        )
            problems.Enqueue(
                $"{verb} {path}: {(int)answer.StatusCode} on {Encoding.UTF8.GetString(body)}: "
                    + $"{await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}"
            );
        return (int)answer.StatusCode;
    }

    private async Task<int> SendFramesAsync(int count)
    {
        var mutator = new Mutator(new Random(99), [.. Words.Select(Encoding.UTF8.GetBytes)], MaxLength);
        var corpus = Frames.Select(Encoding.UTF8.GetBytes).ToList();
        var (socket, sent) = (await ConnectAsync("fuzzer"), 0);
        try
        {
            for (; sent < count; sent++)
            {
                // A frame may make the system close this socket; never another.
                if (socket.State != WebSocketState.Open)
                {
                    socket.Dispose();
                    socket = await ConnectAsync("fuzzer");
                }
                try
                {
                    await socket.SendAsync(
                        mutator.Damage(corpus),
                        WebSocketMessageType.Text,
                        true,
                        TestContext.Current.CancellationToken
                    );
                }
                catch (Exception closed)
                    when (closed is WebSocketException or IOException or OperationCanceledException)
                {
                    // Connected again in the next turn.
                }
            }
        }
        finally
        {
            socket.Dispose();
        }
        return sent;
    }

    private async Task<ClientWebSocket> ConnectAsync(string id)
    {
        var socket = await DeviceClient.ConnectAsync(galaxy, id);
        await socket.SayAsync($$"""{"type":"hello","device_id":"{{id}}","capabilities":["{{id}}"]}""");
        _ = Task.Run(() => DrainAsync(socket));
        return socket;
    }

    // What is not read would fill the queue, and the socket be closed for it.
    private static async Task DrainAsync(ClientWebSocket socket)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (socket.State == WebSocketState.Open)
                await socket.ReceiveAsync(buffer, CancellationToken.None);
        }
        catch (Exception over)
            when (over is WebSocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The socket is closed.
        }
    }
}
