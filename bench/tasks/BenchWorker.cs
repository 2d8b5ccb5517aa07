using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace Galaxy.Bench.Tasks;

/// <summary>What all workers together have seen.</summary>
internal sealed class Seen
{
    private readonly Lock _gate = new();
    private readonly List<double> _dispatch = [];
    private int _executed,
        _acknowledged;

    public int Executed => Volatile.Read(ref _executed);

    /// <summary>Results that the leader has recorded.</summary>
    public int Acknowledged => Volatile.Read(ref _acknowledged);

    public void Execute(long? sent)
    {
        Interlocked.Increment(ref _executed);
        if (sent is not { } at)
            return;
        var took = Stopwatch.GetElapsedTime(at).TotalMilliseconds;
        lock (_gate)
            _dispatch.Add(took);
    }

    public void Acknowledge() => Interlocked.Increment(ref _acknowledged);

    /// <summary>From the submission's start to the arrival at the worker, in ms, sorted.</summary>
    public IReadOnlyList<double> Dispatch
    {
        get
        {
            lock (_gate)
                return [.. _dispatch.Order()];
        }
    }
}

/// <summary>A worker that speaks <c>galaxy.v1</c> and does nothing: it answers at once, or never.</summary>
internal sealed class BenchWorker(Uri address, string key, string id, int slots, Seen seen) : IAsyncDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly Channel<byte[]> _out = Channel.CreateUnbounded<byte[]>(
        new UnboundedChannelOptions { SingleReader = true }
    );
    private Task _work = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellation)
    {
        _socket.Options.AddSubProtocol("galaxy.v1");
        _socket.Options.SetRequestHeader("Authorization", "Bearer " + key);
        await _socket.ConnectAsync(new UriBuilder(address) { Path = "/ws/device/" + id }.Uri, cancellation);
        Send($$"""{"type":"hello","device_id":"{{id}}","slots":{{slots}},"capabilities":["bench"],"running":[]}""");
        var welcome = new byte[4096];
        var writing = WriteAsync(cancellation);
        await _socket.ReceiveAsync(welcome, cancellation);
        _work = Task.WhenAll(ReadAsync(cancellation), writing);
    }

    private void Send(string message) => _out.Writer.TryWrite(Encoding.UTF8.GetBytes(message));

    private async Task WriteAsync(CancellationToken cancellation)
    {
        await foreach (var message in _out.Reader.ReadAllAsync(cancellation))
            await _socket.SendAsync(message, WebSocketMessageType.Text, true, cancellation);
    }

    private async Task ReadAsync(CancellationToken cancellation)
    {
        var buffer = new byte[4096];
        while (true)
        {
            var part = await _socket.ReceiveAsync(buffer.AsMemory(), cancellation);
            if (part.MessageType == WebSocketMessageType.Close)
                return;
            if (!part.EndOfMessage)
                throw new InvalidOperationException("a message is longer than this worker reads");
            using var message = JsonDocument.Parse(buffer.AsMemory(0, part.Count));
            switch (message.RootElement.GetProperty("type").GetString())
            {
                case "task":
                    var parameters = message.RootElement.GetProperty("params");
                    seen.Execute(parameters.TryGetProperty("sent", out var sent) ? sent.GetInt64() : null);
                    Send(
                        $$$"""{"type":"task_result","task_id":"{{{message.RootElement.GetProperty("task_id").GetString()}}}","attempt_id":"{{{message.RootElement.GetProperty("attempt_id").GetString()}}}","status":"done","result":{}}"""
                    );
                    break;
                case "result_ack":
                    seen.Acknowledge();
                    break;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _out.Writer.TryComplete();
        _socket.Abort();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
    }
}
