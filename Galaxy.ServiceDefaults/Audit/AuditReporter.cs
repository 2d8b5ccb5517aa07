using Galaxy.Contracts.Cluster;
using Galaxy.ServiceDefaults.Cluster;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Galaxy.ServiceDefaults.Audit;

/// <summary>Sends a service's notes to a coordinator, trying one after another until one has accepted them.</summary>
internal sealed partial class AuditReporter(
    AuditTrail trail,
    ClusterWatcher watcher,
    CoordinatorChannels channels,
    TimeProvider time,
    ILogger<AuditReporter> log
) : BackgroundService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var note in trail.ReadAllAsync(stoppingToken))
        {
            while (!await TryAsync(note) && !stoppingToken.IsCancellationRequested)
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> TryAsync(AuditEntry note)
    {
        var view = watcher.Current;
        if (
            (
                view.Reachable.FirstOrDefault(one => one.Boot == view.UsableLeader?.Boot)
                ?? view.Reachable.FirstOrDefault()
            )
            is not { } coordinator
        )
            return false;
        try
        {
            await channels
                .Cluster(coordinator.GrpcUrl)
                .AuditAsync(note, deadline: time.GetUtcNow().UtcDateTime + Patience);
            return true;
        }
        catch (RpcException failure)
        {
            LogFailed(coordinator.GrpcUrl, failure.Status.Detail);
            return false;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Debug,
        Message = "The coordinator at {Address} did not take an audit note: {Reason}"
    )]
    private partial void LogFailed(string address, string reason);
}
