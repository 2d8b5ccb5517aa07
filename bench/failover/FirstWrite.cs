using System.Diagnostics;

namespace Galaxy.Bench.Failover;

/// <summary>Measures how long it takes from a fault until a write counts again.</summary>
internal static class FirstWrite
{
    /// <summary>
    /// A new try begins this often, whether the last one has been answered or not: a hanging request must not hide the
    /// recovery.
    /// </summary>
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan TryPatience = TimeSpan.FromMilliseconds(500);
    private const int MostAtOnce = 200;

    /// <param name="tryWrite">True: the write was acknowledged by the new leader.</param>
    public static async Task<TimeSpan> AfterAsync(Func<Task> fault, Func<CancellationToken, Task<bool>> tryWrite)
    {
        using var over = new CancellationTokenSource(Patience);
        var done = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var slots = new SemaphoreSlim(MostAtOnce);
        var started = Stopwatch.GetTimestamp();
        var injecting = fault();
        var tries = new List<Task>();
        while (!done.Task.IsCompleted && !over.IsCancellationRequested)
        {
            if (await slots.WaitAsync(0))
                tries.Add(TryAsync());
            await Task.WhenAny(done.Task, Task.Delay(Every, over.Token));
        }
        await injecting;
        if (!done.Task.IsCompleted)
            throw new TimeoutException($"No write was acknowledged within {Patience.TotalSeconds:0} s.");
        await over.CancelAsync();
        await Task.WhenAll(tries);
        return await done.Task;

        async Task TryAsync()
        {
            try
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
                patience.CancelAfter(TryPatience);
                if (await tryWrite(patience.Token))
                    done.TrySetResult(Stopwatch.GetElapsedTime(started));
            }
            catch (Exception failure)
                when (failure
                        is HttpRequestException
                            or OperationCanceledException
                            or IOException
                            or StackExchange.Redis.RedisException
                            or TimeoutException
                )
            {
                // Not yet.
            }
            finally
            {
                slots.Release();
            }
        }
    }

    public static async Task UntilAsync(string what, Func<Task<bool>> condition)
    {
        var started = Stopwatch.GetTimestamp();
        Exception? last = null;
        while (true)
        {
            try
            {
                if (await condition())
                    return;
            }
            catch (Exception failure)
                when (failure
                        is HttpRequestException
                            or OperationCanceledException
                            or IOException
                            or StackExchange.Redis.RedisException
                            or TimeoutException
                )
            {
                last = failure;
            }
            if (Stopwatch.GetElapsedTime(started) > Patience)
                throw new TimeoutException($"Not within {Patience.TotalSeconds:0} s: {what}", last);
            await Task.Delay(50);
        }
    }
}
