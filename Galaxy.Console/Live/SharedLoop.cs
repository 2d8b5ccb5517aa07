namespace Galaxy.Console.Live;

/// <summary>Work that runs while at least one page follows its result, once for all pages. Thread-safe.</summary>
internal abstract class SharedLoop : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Action> _listeners = [];
    private CancellationTokenSource? _running;
    private Task _loop = Task.CompletedTask;

    /// <summary>From now on until it is disposed of. The handler must be quick.</summary>
    public IDisposable Follow(Action changed)
    {
        lock (_gate)
        {
            _listeners.Add(changed);
            if (_running is null)
            {
                var running = _running = new CancellationTokenSource();
                var before = _loop;
                _loop = Task.Run(() => KeepRunningAsync(before, running.Token), CancellationToken.None);
            }
        }
        return new Leave(this, changed);
    }

    /// <summary>Runs until it is cancelled; begun again after a failure.</summary>
    protected abstract Task RunAsync(CancellationToken cancellation);

    /// <summary>A failure that ends a run; the next one begins a moment later.</summary>
    protected abstract void Failed(Exception failure);

    protected void Changed()
    {
        Action[] listeners;
        lock (_gate)
            listeners = [.. _listeners];
        foreach (var listener in listeners)
            listener();
    }

    private async Task KeepRunningAsync(Task before, CancellationToken cancellation)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await RunAsync(cancellation);
            }
            catch (Exception failure)
                when (failure is not OperationCanceledException || !cancellation.IsCancellationRequested)
            {
                Failed(failure);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(300), cancellation)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Remove(Action changed)
    {
        lock (_gate)
        {
            if (!_listeners.Remove(changed) || _listeners.Count > 0)
                return;
            _running?.Cancel();
            _running?.Dispose();
            _running = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task loop;
        lock (_gate)
        {
            _listeners.Clear();
            _running?.Cancel();
            _running?.Dispose();
            _running = null;
            loop = _loop;
        }
        await loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        GC.SuppressFinalize(this);
    }

    private sealed class Leave(SharedLoop loop, Action changed) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                loop.Remove(changed);
        }
    }
}
