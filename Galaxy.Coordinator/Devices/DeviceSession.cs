using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Galaxy.Contracts.Api;

namespace Galaxy.Coordinator.Devices;

/// <summary>
/// One open socket: a bounded queue out, whole text messages in. A client that does not read is disconnected rather
/// than buffered without end; a client that sends too much is read more slowly. Thread-safe.
/// </summary>
internal sealed class DeviceSession : IAsyncDisposable
{
    public const string Subprotocol = "galaxy.v1";

    public const int MaxMessageBytes = 1024 * 1024;
    private const int QueueLength = 2048;
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly WebSocket _socket;
    private readonly CancellationTokenSource _closing;
    private readonly CancellationTokenSource _silence;
    private readonly Channel<byte[]> _out = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(QueueLength) { SingleReader = true }
    );
    private readonly Task _writer;
    private string _closeReason = "closed";

    public DeviceSession(WebSocket socket, string deviceId, CancellationToken aborted)
    {
        _socket = socket;
        DeviceId = deviceId;
        _closing = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        _silence = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
        _writer = WriteLoopAsync();
    }

    public string DeviceId { get; set; }

    /// <summary>True when the device speaks the acknowledged subprotocol <c>galaxy.v1</c>.</summary>
    public bool IsAcknowledged => _socket.SubProtocol == Subprotocol;

    /// <summary>
    /// True once the task engine knows which attempts the device brought along; only then is it given new ones. Owned
    /// by the task engine's loop.
    /// </summary>
    public bool TakesTasks { get; set; }

    /// <summary>When the last message came; coarser in the registry.</summary>
    public DateTimeOffset LastHeard { get; set; }

    /// <summary>The device as it described itself on this socket; null before it introduced itself.</summary>
    public DeviceView? Said { get; set; }

    public CancellationToken Closing => _closing.Token;

    /// <inheritdoc cref="Send(byte[])"/>
    public bool Send(JsonObject message) => Send(JsonSerializer.SerializeToUtf8Bytes(message));

    /// <summary>False when the queue is full or the socket is closing; a full queue closes it.</summary>
    /// <param name="message">UTF-8 JSON.</param>
    public bool Send(byte[] message)
    {
        if (_closing.IsCancellationRequested)
            return false;
        if (_out.Writer.TryWrite(message))
            return true;
        Close("it does not read its messages");
        return false;
    }

    public void Close(string reason)
    {
        _closeReason = reason;
        _out.Writer.TryComplete();
        // Gives the close frame and what is queued a moment, then ends the socket whatever the device does.
        _closing.CancelAfter(LastWords);
    }

    /// <summary>The next message; null when the socket is closed.</summary>
    /// <param name="patience">Silence for that long ends the socket.</param>
    /// <exception cref="InvalidDataException">The message is binary or over <see cref="MaxMessageBytes"/>.</exception>
    public async Task<ReadOnlyMemory<byte>?> ReceiveAsync(TimeSpan patience)
    {
        _silence.CancelAfter(patience);
        // Nothing is kept for a socket that is silent.
        await _socket.ReceiveAsync(Memory<byte>.Empty, _silence.Token);
        var buffer = new byte[1024];
        var length = 0;
        while (true)
        {
            var part = await _socket.ReceiveAsync(buffer.AsMemory(length), _silence.Token);
            if (part.MessageType == WebSocketMessageType.Close)
                return null;
            if (part.MessageType != WebSocketMessageType.Text)
                throw new InvalidDataException("binary messages are not understood; send JSON as text");
            length += part.Count;
            if (part.EndOfMessage)
                return buffer.AsMemory(0, length);
            if (length >= MaxMessageBytes)
                throw new InvalidDataException($"the message is over {MaxMessageBytes} bytes");
            if (length == buffer.Length)
                Array.Resize(ref buffer, Math.Min(buffer.Length * 4, MaxMessageBytes));
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
        catch (Exception failure)
            when (failure is OperationCanceledException or WebSocketException or ObjectDisposedException)
        {
            await _closing.CancelAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _out.Writer.TryComplete();
        // What is queued is still sent, and why it closes.
        _closing.CancelAfter(LastWords);
        await _writer;
        await _closing.CancelAsync();
        _silence.Dispose();
        _closing.Dispose();
    }
}
