using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Replica;
using Galaxy.ServiceDefaults.Hosting;

namespace Galaxy.Coordinator.State;

/// <summary>
/// Looks after the state on this node's disk: syncs the log, sweeps, takes snapshots, and closes it well.
/// </summary>
internal sealed partial class StateKeeper(
    ReplicatedState replica,
    PeerSummaries peers,
    StateJournal journal,
    TimeProvider time,
    ILogger<StateKeeper> log
) : PeriodicService(SyncEvery, time, log)
{
    private static readonly TimeSpan SyncEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SnapshotEvery = TimeSpan.FromSeconds(300);

    private long _swept = time.GetTimestamp();
    private long _taken = time.GetTimestamp();

    protected override Task TurnAsync(CancellationToken stopping)
    {
        journal.Sync();
        if (Time.GetElapsedTime(_swept) >= SweepEvery)
        {
            _swept = Time.GetTimestamp();
            replica.Sweep(peers.Stable(), peers.IsDeparted);
        }
        if (Time.GetElapsedTime(_taken) >= SnapshotEvery)
        {
            _taken = Time.GetTimestamp();
            replica.TakeSnapshot();
        }
        return Task.CompletedTask;
    }

    /// <summary>Everything that could still write has stopped.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            replica.TakeSnapshot();
            journal.Close();
        }
        catch (Exception failure)
        {
            // The log has every write of this node, whatever keeps the snapshot from being made.
            LogNotClosed(failure.Message);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The replicated state could not be saved at the end: {Reason}. The next start reads the last "
            + "snapshot and the log."
    )]
    private partial void LogNotClosed(string reason);
}
