using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;

namespace Galaxy.EndToEnd.Tests.Devices;

/// <summary>
/// A plain WebSocket client that knows nothing but the prototype's JSON, on the port that such clients are configured
/// with.
/// </summary>
[Collection("shared system")]
public sealed class LegacyDeviceTests(RunningGalaxy galaxy)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private async Task<ClientWebSocket> ConnectAsync(string path)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", "Bearer " + galaxy.Key);
        var url = new UriBuilder(galaxy.Host.Url("gateway", "ws")) { Scheme = "ws", Path = path }.Uri;
        await socket.ConnectAsync(url, TestContext.Current.CancellationToken);
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, object message) =>
        socket.SendAsync(
            Encoding.UTF8.GetBytes(System.Text.Json.JsonSerializer.Serialize(message)),
            WebSocketMessageType.Text,
            true,
            TestContext.Current.CancellationToken
        );

    private static async Task<JsonObject> ReceiveAsync(ClientWebSocket socket, string type)
    {
        using var deadline = new CancellationTokenSource(Patience);
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer, deadline.Token);
            Assert.False(
                part.MessageType == WebSocketMessageType.Close,
                $"waiting for '{type}', the socket was closed: {part.CloseStatusDescription}"
            );
            var message = JsonNode.Parse(Encoding.UTF8.GetString(buffer, 0, part.Count))!.AsObject();
            if (message["type"]!.GetValue<string>() == type)
                return message;
        }
    }

    [Theory]
    [InlineData("/ws/device/phone-1", "phone-1")]
    [InlineData("/ws", "phone-2")]
    [InlineData("/", "phone-3")]
    public async Task It_shakes_hands_beats_its_heart_gets_a_task_and_completes_it(string path, string id)
    {
        using var socket = await ConnectAsync(path);
        await SendAsync(
            socket,
            new
            {
                type = "handshake",
                version = "1.0",
                platform = "android",
                device_id = id,
                capabilities = new[] { "photo-" + id },
            }
        );
        Assert.Equal(id, (await ReceiveAsync(socket, "handshake_ack"))["device_id"]!.GetValue<string>());
        await SendAsync(socket, new { type = "heartbeat" });
        Assert.True((await ReceiveAsync(socket, "heartbeat_ack"))["timestamp"]!.GetValue<double>() > 0);

        var taskId = await galaxy.SubmitAsync(new { action = "photo-" + id, @params = new { flash = true } });
        var command = await ReceiveAsync(socket, "command");
        Assert.Equal(
            ("photo-" + id, true),
            (command["command"]!.GetValue<string>(), command["params"]!["flash"]!.GetValue<bool>())
        );
        Assert.Equal(taskId, command["task_id"]!.GetValue<string>());
        await SendAsync(
            socket,
            new
            {
                type = "task_result",
                task_id = taskId,
                result = new { file = "p.jpg" },
            }
        );

        var task = await galaxy.FinishedAsync(taskId);
        Assert.Equal(
            (TaskState.Completed, id, "p.jpg"),
            (task.State, task.DeviceId, task.Result!.Value.GetProperty("file").GetString())
        );
    }

    [Fact]
    public async Task A_message_that_is_not_understood_is_answered_and_the_socket_stays_open()
    {
        using var socket = await ConnectAsync("/ws/device/phone-4");
        await SendAsync(socket, new { type = "handshake", device_id = "phone-4" });
        await ReceiveAsync(socket, "handshake_ack");

        await SendAsync(socket, new { type = "dance" });
        Assert.Contains(
            "dance",
            (await ReceiveAsync(socket, "error"))["message"]!.GetValue<string>(),
            StringComparison.Ordinal
        );
        await socket.SendAsync(
            "not json"u8.ToArray(),
            WebSocketMessageType.Text,
            true,
            TestContext.Current.CancellationToken
        );
        await ReceiveAsync(socket, "error");

        await SendAsync(socket, new { type = "heartbeat" });
        await ReceiveAsync(socket, "heartbeat_ack");
    }

    private ClientWebSocket Plain(out Uri url, string path, string query = "")
    {
        url = new UriBuilder(galaxy.Host.Url("gateway", "ws"))
        {
            Scheme = "ws",
            Path = path,
            Query = query,
        }.Uri;
        return new ClientWebSocket();
    }

    [Fact]
    public async Task With_a_wrong_key_the_socket_is_refused()
    {
        using var socket = Plain(out var url, "/ws/device/phone-5", "token=wrong");

        var failure = await Assert.ThrowsAsync<WebSocketException>(() =>
            socket.ConnectAsync(url, TestContext.Current.CancellationToken)
        );

        Assert.Contains("401", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/ws/device/phone-7")]
    [InlineData("/ws")]
    public async Task Without_the_key_the_socket_is_closed_at_its_first_message(string path)
    {
        using var socket = Plain(out var url, path);
        await socket.ConnectAsync(url, TestContext.Current.CancellationToken);
        await SendAsync(
            socket,
            new
            {
                type = "handshake",
                device_id = "phone-7",
                token = "wrong",
            }
        );

        Assert.Contains(
            "key is needed",
            (await ReceiveAsync(socket, "error"))["message"]!.GetValue<string>(),
            StringComparison.Ordinal
        );
        Assert.True(await ClosesAsync(socket));
        using var answer = await galaxy.Http.GetAsync("/api/v1/devices/phone-7", TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task A_phone_that_can_set_no_header_shows_the_key_in_its_first_message()
    {
        using var socket = Plain(out var url, "/");
        await socket.ConnectAsync(url, TestContext.Current.CancellationToken);
        await SendAsync(
            socket,
            new
            {
                type = "handshake",
                device_id = "phone-8",
                platform = "android",
                token = galaxy.Key,
            }
        );

        Assert.Equal("phone-8", (await ReceiveAsync(socket, "handshake_ack"))["device_id"]!.GetValue<string>());
    }

    [Fact]
    public async Task Who_says_nothing_is_sent_away()
    {
        using var socket = Plain(out var url, "/ws");
        await socket.ConnectAsync(url, TestContext.Current.CancellationToken);

        Assert.True(await ClosesAsync(socket));
    }

    private static async Task<bool> ClosesAsync(ClientWebSocket socket)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        try
        {
            return (await socket.ReceiveAsync(new byte[1024], deadline.Token)).MessageType
                == WebSocketMessageType.Close;
        }
        catch (WebSocketException)
        {
            return true;
        }
    }

    [Theory]
    [InlineData(WebSocketMessageType.Text, 1_100_000, "over")]
    [InlineData(WebSocketMessageType.Binary, 10, "binary")]
    public async Task What_is_too_large_or_no_text_is_answered_and_the_socket_closed(
        WebSocketMessageType type,
        int length,
        string complaint
    )
    {
        using var socket = await ConnectAsync("/ws/device/phone-12");
        await SendAsync(socket, new { type = "handshake", device_id = "phone-12" });
        await ReceiveAsync(socket, "handshake_ack");
        try
        {
            await socket.SendAsync(new byte[length], type, true, TestContext.Current.CancellationToken);
        }
        catch (WebSocketException)
        {
            // It need not be read to its end.
        }

        Assert.Contains(
            complaint,
            (await ReceiveAsync(socket, "error"))["message"]!.GetValue<string>(),
            StringComparison.Ordinal
        );
        Assert.True(await ClosesAsync(socket));
    }

    [Fact]
    public async Task Who_sends_too_much_is_read_more_slowly_and_loses_nothing()
    {
        using var socket = await ConnectAsync("/ws/device/phone-13");
        await SendAsync(socket, new { type = "handshake", device_id = "phone-13" });
        await ReceiveAsync(socket, "handshake_ack");
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        for (var i = 0; i < 150; i++)
            await SendAsync(socket, new { type = "heartbeat" });
        for (var i = 0; i < 150; i++)
            await ReceiveAsync(socket, "heartbeat_ack");

        // A burst of 100, then 20 a second.
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds, 1.5, 20);
    }

    [Fact]
    public async Task A_command_gets_one_honest_result_for_each_device()
    {
        using var socket = await ConnectAsync("/ws/device/phone-9");
        await SendAsync(socket, new { type = "handshake", device_id = "phone-9" });
        await ReceiveAsync(socket, "handshake_ack");
        var asking = galaxy.Http.PostAsJsonAsync(
            "/api/v1/command",
            new
            {
                request_id = "req-9",
                command = "light",
                targets = new[] { "phone-9", "nobody" },
                @params = new { on = true },
                timeout = 10,
            }
        );
        var command = await ReceiveAsync(socket, "command");
        Assert.Equal(
            ("light", "req-9"),
            (command["command"]!.GetValue<string>(), command["request_id"]!.GetValue<string>())
        );
        // Any message that carries the id is an answer.
        await SendAsync(
            socket,
            new
            {
                type = "light_switched",
                task_id = command["task_id"]!.GetValue<string>(),
                result = new { on = true },
            }
        );

        var answer = (await (await asking).Content.ReadFromJsonAsync<JsonObject>())!;
        Assert.Equal("partial", answer["status"]!.GetValue<string>());
        Assert.Equal(
            ("done", true),
            (
                answer["results"]!["phone-9"]!["status"]!.GetValue<string>(),
                answer["results"]!["phone-9"]!["output"]!["on"]!.GetValue<bool>()
            )
        );
        Assert.Equal(
            ("failed", "there is no device 'nobody'"),
            (
                answer["results"]!["nobody"]!["status"]!.GetValue<string>(),
                answer["results"]!["nobody"]!["error"]!.GetValue<string>()
            )
        );
        var later = await galaxy.Http.GetFromJsonAsync<JsonObject>("/api/v1/command/req-9/status");
        Assert.Equal(answer["results"]!.ToJsonString(), later!["results"]!.ToJsonString());
    }

    [Fact]
    public async Task A_device_that_is_asked_a_question_can_ask_one_too()
    {
        using var socket = await ConnectAsync("/ws/device/phone-10");
        await SendAsync(socket, new { type = "handshake", device_id = "phone-10" });
        await ReceiveAsync(socket, "handshake_ack");
        await SendAsync(
            socket,
            new
            {
                type = "chat",
                message = "hello galaxy",
                context = "",
                request_id = "q1",
                model = "galaxy/echo",
            }
        );

        var reply = await ReceiveAsync(socket, "chat_reply");
        Assert.Equal("q1", reply["request_id"]!.GetValue<string>());
        Assert.Contains("hello galaxy", reply["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subscriber_is_told_how_things_are_and_what_happens()
    {
        using var status = await ConnectAsync("/ws/status");
        Assert.NotNull((await ReceiveAsync(status, "initial_status"))["devices"]);
        await SendAsync(status, new { type = "ping" });
        await ReceiveAsync(status, "pong");
        using (var socket = await ConnectAsync("/ws/device/phone-11"))
        {
            await SendAsync(socket, new { type = "handshake", device_id = "phone-11" });
            while ((await ReceiveAsync(status, "device_status_update"))["device_id"]!.GetValue<string>() != "phone-11")
            { }
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", TestContext.Current.CancellationToken);
        }
        while ((await ReceiveAsync(status, "device_disconnected"))["device_id"]!.GetValue<string>() != "phone-11") { }
    }

    [Fact]
    public async Task A_browser_may_give_the_key_in_the_address_of_a_socket()
    {
        using var socket = new ClientWebSocket();
        var url = new UriBuilder(galaxy.Host.Url("gateway", "ws"))
        {
            Scheme = "ws",
            Path = "/ws/device/phone-6",
            Query = "token=" + galaxy.Key,
        }.Uri;

        await socket.ConnectAsync(url, TestContext.Current.CancellationToken);

        Assert.Equal(WebSocketState.Open, socket.State);
    }
}
