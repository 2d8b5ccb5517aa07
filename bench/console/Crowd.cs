using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Galaxy.Bench.Console;

/// <summary>Devices on real sockets, whose load changes all the time.</summary>
internal sealed class Crowd : IAsyncDisposable
{
    private readonly List<ClientWebSocket> _sockets = [];
    private readonly CancellationTokenSource _end = new();
    private Task _changing = Task.CompletedTask;

    /// <summary>Of all devices together.</summary>
    public static int ChangesPerSecond => 50;

    public int Count => _sockets.Count;

    public static async Task<Crowd> JoinAsync(RunningSystem galaxy, int count)
    {
        var crowd = new Crowd();
        var address = new UriBuilder(galaxy.Host.Url("gateway", "ws")) { Scheme = "ws" }.Uri;
        for (var i = 0; i < count; i++)
        {
            var socket = new ClientWebSocket();
            socket.Options.SetRequestHeader("Authorization", "Bearer " + galaxy.Key);
            await socket.ConnectAsync(address, CancellationToken.None);
            await SendAsync(
                socket,
                new
                {
                    type = "handshake",
                    device_id = $"sensor-{i:000}",
                    device_type = "sensor",
                    capabilities = new[] { "measure" },
                }
            );
            crowd._sockets.Add(socket);
            _ = DrainAsync(socket, crowd._end.Token);
        }
        crowd._changing = crowd.ChangeAsync();
        return crowd;
    }

    private static Task SendAsync(ClientWebSocket socket, object message) =>
        socket.SendAsync(
            Encoding.UTF8.GetBytes(JsonSerializer.Serialize(message)),
            WebSocketMessageType.Text,
            true,
            CancellationToken.None
        );

    private static async Task DrainAsync(ClientWebSocket socket, CancellationToken end)
    {
        var buffer = new byte[4096];
        try
        {
            while (socket.State == WebSocketState.Open)
                await socket.ReceiveAsync(buffer, end);
        }
        catch (Exception ended) when (ended is WebSocketException or OperationCanceledException)
        {
            // The bench is over.
        }
    }

    private async Task ChangeAsync()
    {
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / ChangesPerSecond));
        var random = new Random(1);
        try
        {
            while (await pace.WaitForNextTickAsync(_end.Token))
                await SendAsync(
                    _sockets[random.Next(_sockets.Count)],
                    new
                    {
                        type = "status_update",
                        status = random.Next(2) == 0 ? "busy" : "idle",
                        load = random.NextDouble(),
                    }
                );
        }
        catch (Exception ended) when (ended is OperationCanceledException or WebSocketException)
        {
            // The bench is over, or the device was cut off; what was under way is broken off.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _changing;
        foreach (var socket in _sockets)
            socket.Dispose();
        _end.Dispose();
    }
}
