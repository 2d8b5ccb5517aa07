using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;

namespace Galaxy.EndToEnd.Tests.Input;

/// <summary>
/// Every operation of the API's own description and every message of a device, with each kind of poison: refused, and
/// nobody else is harmed.
/// </summary>
[Collection("poisoned system")]
public sealed class PoisonWalkTests(RunningGalaxy galaxy)
{
    private static readonly string[] Verbs = ["post", "put", "patch", "delete"];

    private static readonly string[] Steering = ["/failover", "/restore", "/rollback", "/config", "/execute/"];

    private static readonly string[] Messages =
    [
        "hello",
        "handshake",
        "register",
        "heartbeat",
        "status_update",
        "credit",
        "progress",
        "task_result",
        "command_result",
        "result",
        "chat",
        "nonsense",
    ];

    private static readonly string[] Fields =
    [
        "device_id",
        "device_name",
        "device_type",
        "capabilities",
        "labels",
        "location",
        "slots",
        "version",
        "running",
        "status",
        "load",
        "task_id",
        "attempt_id",
        "progress",
        "result",
        "output",
        "error",
        "message",
        "context",
        "request_id",
        "model",
        "payload",
    ];

    private static readonly string[] Values =
    [
        "null",
        "[null]",
        "[[[]]]",
        "{}",
        "{\"name\":null}",
        "[{\"name\":null}]",
        "[{\"name\":[]}]",
        "[\"x\",\"x\"]",
        "-1",
        "1e308",
        "99999999999999999999",
        "true",
        "\"\\u0000\"",
        "\"\"",
    ];

    [Fact]
    public async Task Every_operation_and_every_message_refuses_poison_and_nobody_else_notices()
    {
        var before = galaxy.Host.Names.ToDictionary(name => name, name => galaxy.Host.ProcessId(name));
        using var bystander = await DeviceClient.ConnectAsync(galaxy, "bystander");
        await bystander.SayAsync(
            """{"type":"handshake","device_id":"bystander","capabilities":["stand_by"]}"""u8.ToArray()
        );
        var problems = new List<string>();

        var operations = await WalkOperationsAsync(problems);
        Assert.True(
            problems.Count == 0,
            $"{problems.Count} problems in {operations} requests:\n{string.Join('\n', problems.Take(60))}"
        );
        var messages = await WalkMessagesAsync();

        TestContext.Current.TestOutputHelper?.WriteLine($"{operations} requests, {messages} messages");
        Assert.True(problems.Count == 0, $"{problems.Count} problems:\n{string.Join('\n', problems.Take(60))}");
        Assert.True(operations > 1500 && messages > 3000, $"only {operations} requests and {messages} messages");
        // Nothing was started again, no loop has failed, no request has met a defect, and no other socket was closed.
        Assert.Equal(before, galaxy.Host.Names.ToDictionary(name => name, name => galaxy.Host.ProcessId(name)));
        Assert.Equal([], Health.DefectsOf(galaxy));
        Assert.Equal(WebSocketState.Open, bystander.State);
        await bystander.SayAsync("""{"type":"ping"}"""u8.ToArray());
        Assert.Equal("pong", await ReadAsync(bystander));
        await galaxy.SettledAsync();
        Assert.Equal(
            TaskState.Completed,
            (
                await galaxy.FinishedAsync(
                    await galaxy.SubmitAsync(new { action = "echo", @params = new { text = "well" } })
                )
            ).State
        );
        foreach (
            var list in new[]
            {
                "/api/v1/tasks",
                "/api/v1/devices",
                "/api/v1/groups",
                "/api/v1/state",
                "/nodes",
                "/tools",
                "/api/v1/config",
            }
        )
            Assert.Equal(
                (list, HttpStatusCode.OK),
                (list, (await galaxy.Http.GetAsync(list, TestContext.Current.CancellationToken)).StatusCode)
            );
    }

    private async Task<int> WalkOperationsAsync(List<string> problems)
    {
        var document = await ApiDocument.WholeAsync(galaxy.Http);
        var count = 0;
        foreach (var (path, operations) in (JsonObject)document["paths"]!)
        {
            foreach (var (verb, operation) in ((JsonObject)operations!).Where(one => Verbs.Contains(one.Key)))
            {
                if (operation!["requestBody"] is not JsonObject body)
                    continue;
                var schema = Poison.Resolve(
                    body["content"]?["application/json"]?["schema"] as JsonObject ?? [],
                    document
                );
                foreach (var (name, bytes) in Poison.Everywhere)
                {
                    count++;
                    await TryAsync(verb, path, name, bytes, mustRefuse: true, problems);
                }
                foreach (var (property, sub) in schema["properties"] as JsonObject ?? [])
                {
                    foreach (var (name, bytes, isRefused) in Poison.Against(property, (JsonObject)sub!, document))
                    {
                        // What would be accepted and move leadership, set the whole cluster back, or wait for devices
                        // that do not answer, is no poison.
                        if (!isRefused && Steering.Any(part => path.Contains(part, StringComparison.Ordinal)))
                            continue;
                        count++;
                        await TryAsync(verb, path, name, bytes, isRefused, problems);
                    }
                }
            }
        }
        return count;
    }

    private async Task TryAsync(
        string verb,
        string path,
        string name,
        byte[] body,
        bool mustRefuse,
        List<string> problems
    )
    {
        // A name that nothing else has.
        var filled = System.Text.RegularExpressions.Regex.Replace(path, @"\{[^}]*\}", "poisoned");
        using var request = new HttpRequestMessage(new HttpMethod(verb.ToUpperInvariant()), filled)
        {
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        try
        {
            using var answer = await galaxy.Http.SendAsync(request, TestContext.Current.CancellationToken);
            if ((int)answer.StatusCode >= 500 || (mustRefuse && (int)answer.StatusCode < 400))
                problems.Add(
                    $"{verb} {path}: {name}: {(int)answer.StatusCode} {Start(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))}"
                );
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            problems.Add($"{verb} {path}: {name}: {failure.Message}");
        }
    }

    private async Task<int> WalkMessagesAsync()
    {
        var count = 0;
        foreach (var type in Messages)
        {
            // Of one device that behaves badly; it is heard to the end.
            using var socket = await DeviceClient.ConnectAsync(galaxy, "poisoner");
            var said = ReadAsync(socket);
            // A text message that is no UTF-8 ends its connection (RFC 6455, 8.1).
            foreach (var (_, body) in Poison.Everywhere.Where(one => one.Name != "no UTF-8"))
                await SayAsync(
                    Encoding
                        .UTF8.GetBytes($"{{\"type\":\"{type}\",\"device_id\":\"poisoner\",\"x\":")
                        .Concat(body)
                        .Append((byte)'}')
                        .ToArray()
                );
            await SayAsync(
                """{"type":"hello","device_id":"poisoner","capabilities":["poison"],"slots":2}"""u8.ToArray()
            );
            foreach (var field in Fields)
            {
                foreach (var value in Values)
                    await SayAsync(
                        Encoding.UTF8.GetBytes(
                            $"{{\"type\":\"{type}\"{(field == "device_id" ? "" : ",\"device_id\":\"poisoner\"")},\"{field}\":{value}}}"
                        )
                    );
            }
            await socket.SayAsync("""{"type":"ping"}"""u8.ToArray());
            Assert.True(await said is "pong", $"{type}: {await said}");

            async Task SayAsync(byte[] message)
            {
                count++;
                await socket.SayAsync(message);
            }
        }
        return count;
    }

    // Reads all the while: who does not is cut off. Answers the first pong that follows the end of a device's messages,
    // or why there is none.
    private static async Task<string> ReadAsync(ClientWebSocket socket)
    {
        var (buffer, last) = (new byte[1024 * 1024], "nothing");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            while (true)
            {
                var length = 0;
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await socket.ReceiveAsync(buffer.AsMemory(length), deadline.Token);
                    if (part.MessageType == WebSocketMessageType.Close)
                        return $"closed: {socket.CloseStatusDescription} after {last}";
                    length += part.Count;
                } while (!part.EndOfMessage);
                last = Encoding.UTF8.GetString(buffer, 0, length);
                if (JsonNode.Parse(last)!["type"]!.GetValue<string>() == "pong")
                    return "pong";
            }
        }
        catch (Exception over) when (over is WebSocketException or OperationCanceledException)
        {
            return $"{over.Message} after {last}";
        }
    }

    private static string Start(string text) => text.Length > 160 ? text[..160] + "…" : text;
}
