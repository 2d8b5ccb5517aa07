using Galaxy.LocalHosting.Description;

namespace Galaxy.AppHost.Restarts;

/// <summary>
/// What happens after a resource has ended: it is started again after <see cref="Delay"/>, or given up.
/// </summary>
/// <param name="Delay">Null: it is not started again.</param>
/// <param name="Reason">One sentence for the dashboard.</param>
internal sealed record RestartDecision(TimeSpan? Delay, string Reason);

/// <summary>
/// The restarts of one resource. The first restart follows after 200 ms; the delay doubles up to 10 s while the
/// resource keeps ending within 30 s of its start. After <see cref="MaxFailedStarts"/> starts in a row that never
/// became healthy the resource is given up. The bound counts starts and not seconds: on a busy machine a process may
/// take long to fail. Not thread-safe.
/// </summary>
/// <param name="hasHealthCheck">Whether a health check tells when it is healthy; otherwise it counts as healthy after 5
/// s.</param>
internal sealed class RestartState(TimeProvider time, bool hasHealthCheck)
{
    public const int MaxFailedStarts = 8;

    private const int SettingsError = SystemOptionException.ExitCode;
    private static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan HealthyWithoutCheck = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(30);

    private long _startedAt = time.GetTimestamp();
    private TimeSpan _delay = MinDelay;
    private int _failedStarts;
    private bool _isGivenUp;
    private bool _wasHealthy;

    /// <summary>How often it was started again.</summary>
    public int Restarts { get; private set; }

    /// <summary>Whether it was asked to stop: its end is no failure.</summary>
    public bool StopRequested { get; private set; }

    public bool IsRunning { get; private set; }

    public void Started()
    {
        // Only a user starts a resource that was given up; earlier failures no longer count.
        if (_isGivenUp)
            (_delay, _failedStarts, _isGivenUp) = (MinDelay, 0, false);
        _startedAt = time.GetTimestamp();
        StartedAt = time.GetUtcNow();
        (IsRunning, StopRequested, _wasHealthy) = (true, false, false);
    }

    /// <summary>The time of the last start; a health report that is older is about the process before.</summary>
    public DateTimeOffset StartedAt { get; private set; }

    public void BecameHealthy() => _wasHealthy = IsRunning;

    public void RequestStop() => StopRequested = true;

    /// <summary>
    /// The resource ended as it was asked to: it stays stopped until a user starts it, and the end after that start
    /// counts again.
    /// </summary>
    public void Stopped() => IsRunning = false;

    /// <param name="exitCode">Null where it could not be started at all.</param>
    public RestartDecision Ended(int? exitCode)
    {
        var lived = IsRunning ? time.GetElapsedTime(_startedAt) : TimeSpan.Zero;
        IsRunning = false;
        var how = Describe(exitCode);
        if (exitCode == SettingsError)
            return GiveUp($"{how}: a setting is wrong. Its console log says which one; correct it and press Start.");
        _failedStarts = _wasHealthy || (!hasHealthCheck && lived >= HealthyWithoutCheck) ? 0 : _failedStarts + 1;
        _wasHealthy = false;
        if (_failedStarts >= MaxFailedStarts)
            return GiveUp(
                $"{how}, {_failedStarts} times in a row before it was healthy. Its console log says why; "
                    + "press Start to try again."
            );
        if (lived >= Steady)
            _delay = MinDelay;
        var delay = _delay;
        _delay = _delay * 2 < MaxDelay ? _delay * 2 : MaxDelay;
        Restarts++;
        return new RestartDecision(
            delay,
            $"{how} after {lived.TotalSeconds:0.#} s; restart {Restarts} after {delay.TotalSeconds:0.#} s"
        );
    }

    private RestartDecision GiveUp(string reason)
    {
        _isGivenUp = true;
        return new RestartDecision(null, reason);
    }

    private static string Describe(int? exitCode) =>
        exitCode switch
        {
            null => "It could not be started",
            137 or -1 or 9 => "Killed (SIGKILL)",
            139 => "Crashed (SIGSEGV)",
            143 => "Terminated (SIGTERM)",
            0 => "It ended with exit code 0",
            _ => $"It failed with exit code {exitCode}",
        };
}
