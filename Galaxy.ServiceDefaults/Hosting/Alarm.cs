namespace Galaxy.ServiceDefaults.Hosting;

/// <summary>
/// Wakes one loop: after a time, or earlier when the alarm is rung. Ringing is thread-safe; one caller may wait at a
/// time.
/// </summary>
public sealed class Alarm : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private TaskCompletionSource? _waiting;
    private bool _rung;

    public Alarm(TimeProvider time) =>
        _timer = time.CreateTimer(_ => Ring(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Ends the present wait, or the next one at once.</summary>
    public void Ring()
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            (waiting, _waiting) = (_waiting, null);
            _rung = waiting is null;
        }
        waiting?.TrySetResult();
    }

    /// <summary>Returns when <paramref name="wait"/> is over or the alarm was rung.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task WaitAsync(TimeSpan wait, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (wait <= TimeSpan.Zero)
            return;
        TaskCompletionSource waiting;
        lock (_gate)
        {
            if (_rung)
            {
                _rung = false;
                return;
            }
            waiting = _waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        // A timer rather than a token that runs out: ending a wait by a token throws, and this happens many times a
        // second.
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
        await using (cancellation.UnsafeRegister(alarm => ((Alarm)alarm!).Ring(), this))
            await waiting.Task;
        cancellation.ThrowIfCancellationRequested();
    }

    public void Dispose() => _timer.Dispose();
}
