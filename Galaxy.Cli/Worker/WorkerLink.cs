using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Galaxy.Cli.Worker;

/// <summary>One connection to a leader: a queue out, messages in. Thread-safe.</summary>
internal sealed class WorkerLink : IAsyncDisposable
{
    private readonly ClientWebSocket _socket;
    private readonly CancellationTokenSource _closing;
    private readonly Channel<byte[]> _out = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true }
    );
    private readonly Task _writer;

    public WorkerLink(ClientWebSocket socket, CancellationToken stopping)
    {
        _socket = socket;
        _closing = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _writer = WriteAsync();
    }

    /// <summary>
    /// Queues a message. When the queue is full the link is closed: results are sent again over the next one.
    /// </summary>
    public void Send(JsonObject message)
    {
        if (!_out.Writer.TryWrite(Encoding.UTF8.GetBytes(message.ToJsonString())))
            _out.Writer.TryComplete();
    }

    /// <summary>Null when the other side closed.</summary>
    public async Task<JsonObject?> ReceiveAsync()
    {
        var buffer = new byte[8192];
        using var message = new MemoryStream();
        while (true)
        {
            var part = await _socket.ReceiveAsync(buffer.AsMemory(), _closing.Token);
            if (part.MessageType == WebSocketMessageType.Close)
                return null;
            message.Write(buffer, 0, part.Count);
            if (!part.EndOfMessage)
                continue;
            try
            {
                return JsonNode.Parse(message.GetBuffer().AsSpan(0, (int)message.Length)) as JsonObject ?? [];
            }
            catch (JsonException)
            {
                throw new IOException("the leader sent something that is not JSON");
            }
        }
    }

    private async Task WriteAsync()
    {
        try
        {
            await foreach (var message in _out.Reader.ReadAllAsync(_closing.Token))
                await _socket.SendAsync(message, WebSocketMessageType.Text, true, _closing.Token);
        }
        catch (Exception failure)
            when (failure is OperationCanceledException or WebSocketException or ObjectDisposedException)
        {
            // The reader sees the same end and reports it.
        }
        await _closing.CancelAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _out.Writer.TryComplete();
        await _closing.CancelAsync();
        await _writer;
        _closing.Dispose();
    }
}
