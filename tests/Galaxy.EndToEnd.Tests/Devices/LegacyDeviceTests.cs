using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;

namespace Galaxy.EndToEnd.Tests.Devices;

/// <summary>A plain WebSocket client that knows nothing but the prototype's JSON, on the port that such clients are configured with.</summary>
[Collection("system")]
public sealed class LegacyDeviceTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
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
        socket.SendAsync(Encoding.UTF8.GetBytes(System.Text.Json.JsonSerializer.Serialize(message)), WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);

    private static async Task<JsonObject> ReceiveAsync(ClientWebSocket socket, string type)
    {
        using var deadline = new CancellationTokenSource(Patience);
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer, deadline.Token);
            Assert.False(part.MessageType == WebSocketMessageType.Close, $"waiting for '{type}', the socket was closed: {part.CloseStatusDescription}");
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
        await SendAsync(socket, new { type = "handshake", version = "1.0", platform = "android", device_id = id, capabilities = new[] { "photo-" + id } });
        Assert.Equal(id, (await ReceiveAsync(socket, "handshake_ack"))["device_id"]!.GetValue<string>());
        await SendAsync(socket, new { type = "heartbeat" });
        Assert.True((await ReceiveAsync(socket, "heartbeat_ack"))["timestamp"]!.GetValue<double>() > 0);

        var taskId = await galaxy.SubmitAsync(new { action = "photo-" + id, @params = new { flash = true } });
        var command = await ReceiveAsync(socket, "command");
        Assert.Equal(("photo-" + id, true), (command["command"]!.GetValue<string>(), command["params"]!["flash"]!.GetValue<bool>()));
        Assert.Equal(taskId, command["task_id"]!.GetValue<string>());
        await SendAsync(socket, new { type = "task_result", task_id = taskId, result = new { file = "p.jpg" } });

        var task = await galaxy.FinishedAsync(taskId);
        Assert.Equal((TaskState.Completed, id, "p.jpg"), (task.State, task.DeviceId, task.Result!["file"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_message_that_is_not_understood_is_answered_and_the_socket_stays_open()
    {
        using var socket = await ConnectAsync("/ws/device/phone-4");
        await SendAsync(socket, new { type = "handshake", device_id = "phone-4" });
        await ReceiveAsync(socket, "handshake_ack");

        await SendAsync(socket, new { type = "dance" });
        Assert.Contains("dance", (await ReceiveAsync(socket, "error"))["message"]!.GetValue<string>(), StringComparison.Ordinal);
        await socket.SendAsync("not json"u8.ToArray(), WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);
        await ReceiveAsync(socket, "error");

        await SendAsync(socket, new { type = "heartbeat" });
        await ReceiveAsync(socket, "heartbeat_ack");
    }

    [Fact]
    public async Task Without_the_key_the_socket_is_refused()
    {
        using var socket = new ClientWebSocket();
        var url = new UriBuilder(galaxy.Host.Url("gateway", "ws")) { Scheme = "ws", Path = "/ws/device/phone-5" }.Uri;

        var failure = await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(url, TestContext.Current.CancellationToken));

        Assert.Contains("401", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_browser_may_give_the_key_in_the_address_of_a_socket()
    {
        using var socket = new ClientWebSocket();
        var url = new UriBuilder(galaxy.Host.Url("gateway", "ws")) { Scheme = "ws", Path = "/ws/device/phone-6", Query = "token=" + galaxy.Key }.Uri;

        await socket.ConnectAsync(url, TestContext.Current.CancellationToken);

        Assert.Equal(WebSocketState.Open, socket.State);
    }
}
