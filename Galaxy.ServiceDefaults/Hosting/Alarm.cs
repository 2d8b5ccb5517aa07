namespace Galaxy.ServiceDefaults.Hosting;

/// <summary>A wait for a moment that anybody may cut short. One waiter; <see cref="Ring"/> is thread-safe.</summary>
public sealed class Alarm(TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _rung = new(0, 1);

    /// <summary>Ends the present wait, or the next one at once.</summary>
    public void Ring()
    {
        if (_rung.CurrentCount > 0)
            return;
        try
        {
            _rung.Release();
        }
        catch (SemaphoreFullException)
        {
            // Another rang in the same moment.
        }
    }

    /// <summary>Returns when <paramref name="wait"/> is over or somebody rang.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task WaitAsync(TimeSpan wait, CancellationToken cancellation)
    {
        if (wait <= TimeSpan.Zero)
            return;
        using var over = new CancellationTokenSource(wait, time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation, over.Token);
        await _rung.WaitAsync(ends.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
    }

    /// <inheritdoc/>
    public void Dispose() => _rung.Dispose();
}
