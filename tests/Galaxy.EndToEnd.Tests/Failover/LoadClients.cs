using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Galaxy.EndToEnd.Tests.Failover;

/// <summary>The longest of something since the last time that somebody asked. Thread-safe.</summary>
internal sealed class Longest
{
    private readonly Lock _gate = new();
    private (double Milliseconds, string? What) _most;

    public void Note(double milliseconds, string what = "")
    {
        lock (_gate)
        {
            if (milliseconds > _most.Milliseconds)
                _most = (milliseconds, what);
        }
    }

    public string Take()
    {
        lock (_gate)
        {
            var (milliseconds, what) = _most;
            _most = default;
            return $"{milliseconds:0} ms" + (what is { Length: > 0 } ? $" ({what})" : "");
        }
    }
}

/// <summary>
/// Clients that ask again and again and wait for each answer; what was not answered well is a failure. Thread-safe.
/// </summary>
internal sealed class SteadyClients
{
    private int _sent;

    public ConcurrentQueue<string> Failures { get; } = [];

    /// <summary>How long answers took.</summary>
    public Longest Waits { get; } = new();

    public int Sent => _sent;

    /// <param name="send">Sends what it is given; when it sends it twice, it asks for it twice.</param>
    /// <param name="answered">Told of every good answer.</param>
    public async Task RepeatAsync(
        TimeSpan every,
        Func<Func<HttpRequestMessage>, Task<HttpResponseMessage>> send,
        Func<int, HttpRequestMessage> request,
        CancellationToken stop,
        Func<HttpRequestMessage, HttpResponseMessage, Task>? answered = null
    )
    {
        using var timer = new PeriodicTimer(every);
        for (var i = 0; !stop.IsCancellationRequested && await timer.WaitForNextTickAsync(CancellationToken.None); i++)
        {
            HttpRequestMessage? sent = null;
            var began = Stopwatch.GetTimestamp();
            try
            {
                using var response = await send(() => sent = request(i));
                if (!response.IsSuccessStatusCode)
                    Failures.Enqueue(
                        $"{DateTime.UtcNow:HH:mm:ss.fff} {sent!.Method} {sent.RequestUri}: "
                            + $"{(int)response.StatusCode} "
                            + $"{await response.Content.ReadAsStringAsync(CancellationToken.None)}"
                    );
                else if (answered is not null)
                    await answered(sent!, response);
            }
            catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
            {
                Failures.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {sent!.Method} {sent.RequestUri}: {failure.Message}");
            }
            Interlocked.Increment(ref _sent);
            Waits.Note(
                Stopwatch.GetElapsedTime(began).TotalMilliseconds,
                $"{sent!.Method} {sent.RequestUri!.OriginalString}"
            );
        }
    }
}

/// <summary>
/// The two addresses that a client knows: when one cannot be reached it takes the other. Thread-safe.
/// </summary>
internal sealed class TwoDoors(Uri first, Uri second, AuthenticationHeaderValue key) : IDisposable
{
    private readonly HttpClient[] _doors = [Client(first, key), Client(second, key)];
    private int _turn;
    private int _switched;

    /// <summary>How often the other door was taken since the last time that somebody asked.</summary>
    public int TakeSwitched() => Interlocked.Exchange(ref _switched, 0);

    /// <exception cref="HttpRequestException">Both failed.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        Func<HttpRequestMessage> request,
        HttpCompletionOption until = HttpCompletionOption.ResponseContentRead,
        CancellationToken cancellation = default
    )
    {
        var turn = Interlocked.Increment(ref _turn) & 1;
        try
        {
            return await _doors[turn].SendAsync(request(), until, cancellation);
        }
        catch (HttpRequestException)
        {
            Interlocked.Increment(ref _switched);
            return await _doors[1 - turn].SendAsync(request(), until, cancellation);
        }
    }

    private static HttpClient Client(Uri address, AuthenticationHeaderValue key)
    {
        var client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(15) };
        client.DefaultRequestHeaders.Authorization = key;
        return client;
    }

    public void Dispose()
    {
        foreach (var door in _doors)
            door.Dispose();
    }
}

/// <summary>
/// A device, or somebody who watches, whose socket is opened again whenever it ends; how long it was without one is
/// noted.
/// </summary>
internal sealed class HeldSocket(Uri[] doors, string path, string key, string? device, Longest gaps)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>How often it was opened.</summary>
    public int Opened { get; private set; }

    public bool IsOpen { get; private set; }

    public async Task HoldAsync(CancellationToken stop)
    {
        long? lost = null;
        for (var turn = 0; !stop.IsCancellationRequested; turn++)
        {
            using var socket = new ClientWebSocket();
            socket.Options.SetRequestHeader("Authorization", "Bearer " + key);
            try
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
                patience.CancelAfter(Patience);
                await socket.ConnectAsync(
                    new UriBuilder(doors[turn % doors.Length]) { Scheme = "ws", Path = path }.Uri,
                    patience.Token
                );
                if (device is not null)
                    await socket.SendAsync(
                        Encoding.UTF8.GetBytes(
                            new JsonObject
                            {
                                ["type"] = "hello",
                                ["device_id"] = device,
                                ["device_type"] = "test",
                            }.ToJsonString()
                        ),
                        WebSocketMessageType.Text,
                        true,
                        patience.Token
                    );
                // The first message says that somebody serves it.
                await ReceiveAsync(socket, patience.Token);
                if (lost is { } since)
                    gaps.Note(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
                (Opened, IsOpen, lost) = (Opened + 1, true, null);
                while (await ReceiveAsync(socket, stop) is { } message)
                {
                    if (device is not null && message.Contains("\"ping\"", StringComparison.Ordinal))
                        await socket.SendAsync(
                            """{"type":"pong"}"""u8.ToArray(),
                            WebSocketMessageType.Text,
                            true,
                            stop
                        );
                }
            }
            catch (Exception ended) when (ended is WebSocketException or OperationCanceledException or IOException)
            {
                // Opened again.
            }
            IsOpen = false;
            lost ??= Stopwatch.GetTimestamp();
            await Task.Delay(20, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<string?> ReceiveAsync(ClientWebSocket socket, CancellationToken stop)
    {
        var (buffer, text) = (new byte[16 * 1024], new StringBuilder());
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), stop);
            if (part.MessageType == WebSocketMessageType.Close)
                return null;
            text.Append(Encoding.UTF8.GetString(buffer, 0, part.Count));
            if (part.EndOfMessage)
                return text.ToString();
        }
    }
}

/// <summary>
/// A stream of events that goes on where it broke off (Last-Event-ID), and what it was told last of each key.
/// </summary>
internal sealed class HeldStream(TwoDoors doors, string path, Longest gaps)
{
    private readonly ConcurrentDictionary<string, string> _last = [];

    /// <summary>What was told last, by key.</summary>
    public IReadOnlyDictionary<string, string> Last => _last;

    public int Opened { get; private set; }

    /// <summary>Answers that were no stream.</summary>
    public ConcurrentQueue<string> Failures { get; } = [];

    public async Task HoldAsync(CancellationToken stop)
    {
        string? position = null;
        long? lost = null;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var answer = await doors.SendAsync(
                    () =>
                    {
                        var request = new HttpRequestMessage(HttpMethod.Get, path);
                        if (position is not null)
                            request.Headers.Add("Last-Event-ID", position);
                        return request;
                    },
                    HttpCompletionOption.ResponseHeadersRead,
                    stop
                );
                if (!answer.IsSuccessStatusCode)
                    Failures.Enqueue($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(stop)}");
                (Opened, lost) = (Opened + 1, Note(lost));
                await foreach (
                    var item in SseParser.Create(await answer.Content.ReadAsStreamAsync(stop)).EnumerateAsync(stop)
                )
                {
                    position = item.EventId ?? position;
                    if (
                        item.Data.Length > 0
                        && JsonNode.Parse(item.Data) is { } change
                        && (string?)change["key"] is { } key
                    )
                        _last[key] = change["entry"]?["value"]?.ToJsonString() ?? "";
                }
            }
            catch (Exception broken) when (broken is IOException or HttpIOException or OperationCanceledException)
            {
                // Opened again.
            }
            catch (HttpRequestException failure) when (!stop.IsCancellationRequested)
            {
                Failures.Enqueue(failure.Message);
            }
            lost ??= Stopwatch.GetTimestamp();
            await Task.Delay(20, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private long? Note(long? lost)
    {
        if (lost is { } since)
            gaps.Note(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        return null;
    }
}
