using System.Runtime.InteropServices;

namespace Galaxy.Coordinator.Failover;

/// <summary>
/// SIGTERM and Ctrl-C: a leader hands over first, while it still serves; then the process stops. The framework's own
/// lifetime closes the listeners at once.
/// </summary>
internal sealed partial class GracefulLifetime(
    Handover handover,
    Candidacy candidacy,
    IHostApplicationLifetime application,
    TimeProvider time,
    ILogger<GracefulLifetime> log
) : IHostLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly List<PosixSignalRegistration> _signals = [];
    private int _stopping;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGQUIT, Stop));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;
        if (Interlocked.Exchange(ref _stopping, 1) == 0)
            _ = StopAsync();
    }

    private async Task StopAsync()
    {
        try
        {
            candidacy.Withdrawn = true;
            using var patience = new CancellationTokenSource(Patience, time);
            var result = await handover.RunAsync(null, "resigned", patience.Token);
            if (result.To is null)
                LogAlone(result.Problem ?? "");
        }
        catch (Exception failure)
        {
            LogAlone(failure.Message);
        }
        finally
        {
            application.StopApplication();
        }
    }

    public void Dispose() => _signals.ForEach(signal => signal.Dispose());

    [LoggerMessage(Level = LogLevel.Debug, Message = "Stopping without a hand-over: {Reason}")]
    private partial void LogAlone(string reason);
}
