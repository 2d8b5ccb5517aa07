using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Galaxy.Bench.Tasks;

/// <summary>
/// A worker that comes and goes: it keeps results until they are acknowledged, loses its connection now and then, and
/// sometimes its memory.
/// </summary>
internal static class ChaosWorker
{
    public static async Task RunAsync(
        Uri address,
        string key,
        string id,
        ConcurrentDictionary<string, int> executions,
        CancellationToken cancellation
    )
    {
        var random = new Random(id.GetHashCode(StringComparison.Ordinal));
        var (seen, results) = (new HashSet<string>(), new Dictionary<string, string>());
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                using var life = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                life.CancelAfter(TimeSpan.FromSeconds(2 + random.NextDouble() * 15));
                await ServeAsync(address, key, id, seen, results, executions, life.Token);
            }
            catch (Exception ended)
                when (ended is WebSocketException or OperationCanceledException or IOException or HttpRequestException)
            {
                // It comes back.
            }
            if (random.Next(10) == 0)
            {
                seen.Clear();
                results.Clear();
            }
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(300)), cancellation)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task ServeAsync(
        Uri address,
        string key,
        string id,
        HashSet<string> seen,
        Dictionary<string, string> results,
        ConcurrentDictionary<string, int> executions,
        CancellationToken cancellation
    )
    {
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("galaxy.v1");
        socket.Options.SetRequestHeader("Authorization", "Bearer " + key);
        await socket.ConnectAsync(
            new UriBuilder(address) { Scheme = "ws", Path = "/ws/device/" + id }.Uri,
            cancellation
        );
        await SendAsync(
            JsonSerializer.Serialize(
                new
                {
                    type = "hello",
                    device_id = id,
                    slots = 8,
                    capabilities = new[] { "chaos" },
                    running = results.Keys,
                }
            )
        );
        foreach (var result in results.Values.ToList())
            await SendAsync(result);
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var length = 0;
            while (true)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(length), cancellation);
                if (part.MessageType == WebSocketMessageType.Close)
                    return;
                length += part.Count;
                if (part.EndOfMessage)
                    break;
            }
            using var message = JsonDocument.Parse(buffer.AsMemory(0, length));
            var type = message.RootElement.GetProperty("type").GetString();
            if (type == "result_ack")
            {
                results.Remove(message.RootElement.GetProperty("attempt_id").GetString()!);
            }
            else if (type == "task")
            {
                var attempt = message.RootElement.GetProperty("attempt_id").GetString()!;
                if (!seen.Add(attempt))
                    continue;
                var task = message.RootElement.GetProperty("task_id").GetString()!;
                executions.AddOrUpdate(task, 1, (_, count) => count + 1);
                results[attempt] = JsonSerializer.Serialize(
                    new
                    {
                        type = "task_result",
                        task_id = task,
                        attempt_id = attempt,
                        status = "done",
                        result = new { attempt, device = id },
                    }
                );
                await SendAsync(results[attempt]);
            }
        }

        Task SendAsync(string text) =>
            socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, cancellation);
    }
}
