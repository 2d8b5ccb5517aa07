using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using MessagePack;
using MessagePack.Resolvers;

namespace Galaxy.Bench.Gossip;

/// <summary>
/// Serf's RPC: a header and a body in MessagePack over TCP, as its documentation describes it. Requests may overlap.
/// </summary>
internal sealed class SerfRpc : IAsyncDisposable
{
    private static readonly MessagePackSerializerOptions Format = MessagePackSerializerOptions
        .Standard.WithResolver(PrimitiveObjectResolver.Instance)
        .WithOldSpec();

    private readonly TcpClient _tcp;
    private readonly NetworkStream _stream;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly ConcurrentDictionary<int, Call> _calls = new();
    private readonly Task _reading;
    private int _sequence;

    private SerfRpc(TcpClient tcp)
    {
        (_tcp, _stream) = (tcp, tcp.GetStream());
        _reading = ReadAsync();
    }

    public static async Task<SerfRpc> ConnectAsync(int port)
    {
        for (var attempt = 0; ; attempt++)
        {
            var tcp = new TcpClient { NoDelay = true };
            try
            {
                await tcp.ConnectAsync("127.0.0.1", port);
                var rpc = new SerfRpc(tcp);
                await rpc.CallAsync("handshake", new() { ["Version"] = 1 });
                return rpc;
            }
            catch (SocketException) when (attempt < 100)
            {
                tcp.Dispose();
                await Task.Delay(100);
            }
        }
    }

    /// <summary>Answers when Serf has.</summary>
    /// <param name="answers">The answer has a body.</param>
    public async Task<Dictionary<object, object>> CallAsync(
        string command,
        Dictionary<string, object> body,
        bool answers = false
    )
    {
        var call = new Call(answers ? 1 : 0, _ => { });
        await SendAsync(command, body, call);
        return await call.Done.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    /// <summary>Every user event or member event from now on.</summary>
    public async Task StreamAsync(string type, Action<Dictionary<object, object>> heard)
    {
        var call = new Call(int.MaxValue, heard);
        await SendAsync("stream", new() { ["Type"] = type }, call);
        await call.Done.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    private async Task SendAsync(string command, Dictionary<string, object> body, Call call)
    {
        await _sending.WaitAsync();
        try
        {
            var sequence = ++_sequence;
            _calls[sequence] = call;
            var bytes = new ArrayBufferWriter<byte>();
            MessagePackSerializer.Serialize(
                bytes,
                (object)new Dictionary<object, object> { ["Command"] = command, ["Seq"] = sequence },
                Format
            );
            if (body.Count > 0)
                MessagePackSerializer.Serialize(
                    bytes,
                    (object)body.ToDictionary(pair => (object)pair.Key, pair => pair.Value),
                    Format
                );
            await _stream.WriteAsync(bytes.WrittenMemory);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task ReadAsync()
    {
        using var reader = new MessagePackStreamReader(_stream);
        try
        {
            while (await ReadOneAsync(reader) is { } header)
            {
                var call = _calls[Convert.ToInt32(header["Seq"], System.Globalization.CultureInfo.InvariantCulture)];
                if ((string)header["Error"] is { Length: > 0 } error)
                    call.Done.TrySetException(new InvalidOperationException($"serf: {error}"));
                else if (call.Bodies == 0)
                    call.Done.TrySetResult([]);
                else if (call.Bodies == 1)
                    call.Done.TrySetResult((await ReadOneAsync(reader))!);
                else if (call.Done.Task.IsCompleted)
                    call.Heard((await ReadOneAsync(reader))!);
                else
                    call.Done.TrySetResult([]);
            }
        }
        catch (Exception over) when (over is IOException or ObjectDisposedException or SocketException)
        {
            // The run is over.
        }
    }

    private static async Task<Dictionary<object, object>?> ReadOneAsync(MessagePackStreamReader reader) =>
        await reader.ReadAsync(CancellationToken.None) is { } bytes
            ? MessagePackSerializer.Deserialize<object>(bytes, Format) as Dictionary<object, object>
            : null;

    public async ValueTask DisposeAsync()
    {
        _tcp.Dispose();
        await _reading;
        _sending.Dispose();
    }

    private sealed record Call(int Bodies, Action<Dictionary<object, object>> Heard)
    {
        public TaskCompletionSource<Dictionary<object, object>> Done { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
