using System.Collections.Concurrent;
using System.Diagnostics;
using Galaxy.Hosts;

namespace Galaxy.Bench.Discovery;

/// <summary>
/// Reads the events of a discovery, also across its restarts, and remembers when it first said what about another node.
/// What was there before it listened it asks for, ten times a second.
/// </summary>
internal sealed class Watching : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Ask = TimeSpan.FromMilliseconds(100);

    private readonly GalaxyNode _by;
    private readonly string _of;
    private readonly CancellationTokenSource _ends = new();
    private readonly ConcurrentDictionary<string, long> _when = new();
    private readonly Task _reading;

    public Watching(GalaxyNode by, string of)
    {
        (_by, _of) = (by, of);
        _reading = Task.WhenAll(Task.Run(ReadAsync), Task.Run(AskAsync));
    }

    public void Forget() => _when.Clear();

    /// <summary>
    /// ms from that moment until it was said: the name of a road, <c>found</c> or <c>lost</c>; null: not yet.
    /// </summary>
    public double? Since(long moment, string what) =>
        _when.TryGetValue(what, out var at) ? Stopwatch.GetElapsedTime(moment, at).TotalMilliseconds : null;

    public async Task<double> UntilAsync(long moment, string what)
    {
        await Wait.ForAsync($"{_by.NodeId} says of {_of}: {what}", () =>
            Task.FromResult(Since(moment, what) is not null)
        );
        return Since(moment, what)!.Value;
    }

    private async Task ReadAsync()
    {
        while (!_ends.IsCancellationRequested)
        {
            try
            {
                await foreach (var told in _by.EventsAsync(_ends.Token))
                {
                    if (told.NodeId == _of)
                        Note(told.Type, told.Trust, told.Roads, told.At);
                }
            }
            catch (Exception failure)
                when (failure is HttpRequestException or IOException or OperationCanceledException)
            {
                // It is not up.
            }
            await Task.Delay(Look, _ends.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task AskAsync()
    {
        while (!_ends.IsCancellationRequested)
        {
            if ((await _by.SeenAsync()).TryGetValue(_of, out var seen))
                Note(
                    "device_found",
                    seen.GetProperty("trust").GetString()!,
                    [.. seen.GetProperty("roads").EnumerateObject().Select(road => road.Name)],
                    Stopwatch.GetTimestamp()
                );
            await Task.Delay(Ask, _ends.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Note(string type, string trust, IReadOnlyCollection<string> roads, long at)
    {
        if (type == "device_lost")
        {
            _when.TryAdd("lost", at);
            return;
        }
        if (trust != "trusted")
            return;
        _when.TryAdd("found", at);
        foreach (var road in roads)
            _when.TryAdd(road, at);
    }

    public async ValueTask DisposeAsync()
    {
        await _ends.CancelAsync();
        await _reading;
        _ends.Dispose();
    }
}

internal static class Wait
{
    public static async Task ForAsync(string what, Func<Task<bool>> condition, double seconds = 90)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started).TotalSeconds > seconds)
                throw new TimeoutException($"not within {seconds} s: {what}");
            await Task.Delay(10);
        }
    }
}
