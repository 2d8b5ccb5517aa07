using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Galaxy.Coordinator.Devices;

/// <summary>
/// One open device socket: a bounded queue out, whole text messages in. A device that does not read is cut off rather
/// than buffered without end. Thread-safe.
/// </summary>
internal sealed class DeviceSession : IAsyncDisposable
{
    public const int MaxMessageBytes = 1024 * 1024;
    private const int QueueLength = 256;

    private readonly WebSocket _socket;
    private readonly CancellationTokenSource _closing;
    private readonly Channel<byte[]> _out = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(QueueLength) { SingleReader = true });
    private readonly Task _writer;
    private string _closeReason = "closed";

    public DeviceSession(WebSocket socket, string deviceId, CancellationToken aborted)
    {
        _socket = socket;
        DeviceId = deviceId;
        _closing = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        _writer = WriteLoopAsync();
    }

    public string DeviceId { get; set; }

    /// <summary>True when the device speaks the acknowledged subprotocol <c>galaxy.v1</c>.</summary>
    public bool IsAcknowledged => _socket.SubProtocol == DeviceSocket.Subprotocol;

    /// <summary>
    /// True once the task engine knows which attempts the device brought along; only then is it given new ones. Owned by the
    /// task engine's loop.
    /// </summary>
    public bool TakesTasks { get; set; }

    public CancellationToken Closing => _closing.Token;

    /// <summary>False when the queue is full or the socket is closing; a full queue closes it.</summary>
    public bool Send(JsonObject message)
    {
        if (_closing.IsCancellationRequested)
            return false;
        if (_out.Writer.TryWrite(Encoding.UTF8.GetBytes(message.ToJsonString())))
            return true;
        Close("the device does not read its messages");
        return false;
    }

    public void Close(string reason)
    {
        _closeReason = reason;
        _out.Writer.TryComplete();
        // Gives the close frame and what is queued a moment, then ends the socket whatever the device does.
        _closing.CancelAfter(TimeSpan.FromSeconds(1));
    }

    /// <summary>The next message; null when the socket is closed.</summary>
    /// <exception cref="InvalidDataException">The message is binary or over <see cref="MaxMessageBytes"/>.</exception>
    public async Task<string?> ReceiveAsync(TimeSpan patience)
    {
        var buffer = new byte[4096];
        using var message = new MemoryStream();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
        deadline.CancelAfter(patience);
        while (true)
        {
            var part = await _socket.ReceiveAsync(buffer.AsMemory(), deadline.Token);
            if (part.MessageType == WebSocketMessageType.Close)
                return null;
            if (part.MessageType != WebSocketMessageType.Text)
                throw new InvalidDataException("binary messages are not understood; send JSON as text");
            if (message.Length + part.Count > MaxMessageBytes)
                throw new InvalidDataException($"the message is over {MaxMessageBytes} bytes");
            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
                return Encoding.UTF8.GetString(message.GetBuffer(), 0, (int)message.Length);
        }
    }

    private async Task WriteLoopAsync()
    {
        try
        {
            await foreach (var message in _out.Reader.ReadAllAsync(_closing.Token))
                await _socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, _closing.Token);
            await _socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, _closeReason, _closing.Token);
        }
        catch (Exception failure) when (failure is OperationCanceledException or WebSocketException or ObjectDisposedException)
        {
            await _closing.CancelAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _out.Writer.TryComplete();
        await _closing.CancelAsync();
        await _writer;
        _closing.Dispose();
    }
}
