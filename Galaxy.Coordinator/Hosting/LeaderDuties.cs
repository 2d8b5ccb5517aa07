using System.Threading.Channels;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Failover;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Storage;
using Galaxy.Coordinator.Tasks;

namespace Galaxy.Coordinator.Hosting;

/// <summary>What a node does when it starts to lead and when it stops.</summary>
internal sealed partial class LeaderDuties(
    Elector elector,
    TaskEngine tasks,
    DeviceHub hub,
    FailoverTracker failovers,
    FailoverLog failoverLog,
    FencedStores stores,
    StoreShape shape,
    Quarantine quarantine,
    IEnumerable<IStoredRecords> stored,
    FailoverStore failoverStore,
    TimeProvider time,
    ILogger<LeaderDuties> log
) : BackgroundService
{
    private static readonly TimeSpan RetryEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan SlowestRetry = TimeSpan.FromSeconds(10);

    private readonly Channel<bool> _turns = Channel.CreateUnbounded<bool>();

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        // A loop that is started again has subscribed already.
        if (ExecuteTask is null)
        {
            elector.BecameLeader += _ => _turns.Writer.TryWrite(true);
            elector.SteppedDown += _ => _turns.Writer.TryWrite(false);
        }
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var leads in _turns.Reader.ReadAllAsync(stoppingToken))
        {
            if (leads)
                await TakeOverAsync(stoppingToken);
            else
                await HandOverAsync();
        }
    }

    private async Task TakeOverAsync(CancellationToken stopping)
    {
        var attempt = failovers.TakeWon();
        if (!await PersistAsync(() => BeginAsync(elector.CurrentToken ?? throw new NotLeaderException()), stopping))
            return;
        attempt?.Step("catch up");
        if (attempt is null)
            return;
        attempt.Step("announce");
        var record = attempt.Complete();
        NoteFailure(record);
        await PersistAsync(() => failoverLog.WriteAsync(record), stopping);
    }

    private async Task BeginAsync(long token)
    {
        await stores.BeginAsync(token);
        await shape.MendAsync(token);
        await tasks.LoadAsync(token);
    }

    // The third of the report's five steps after the switch: the node that failed is on record until it has recovered.
    private void NoteFailure(FailoverRecord record)
    {
        if (
            record.From is not { } failed
            || failed == record.To
            || record.Reason is not ("crash" or "hang" or "partition" or "expired")
        )
            return;
        failoverStore.AddLoss(failed);
        failoverStore.MarkFailed(failed, record.Reason);
    }

    // A leader that cannot load the open tasks would lead without doing its work: it tries as long as it leads.
    private async Task<bool> PersistAsync(Func<Task> action, CancellationToken stopping)
    {
        var pause = RetryEvery;
        while (elector.CurrentToken is not null)
        {
            try
            {
                await action();
                return true;
            }
            catch (StoreUnavailableException failure)
            {
                LogInterrupted(failure.InnerException?.Message ?? failure.Message);
            }
            catch (NotLeaderException)
            {
                break;
            }
            catch (Exception defect) when (!stopping.IsCancellationRequested)
            {
                LogDefect(defect);
                // What fails by a defect most likely fails again.
                pause = pause * 2 < SlowestRetry ? pause * 2 : SlowestRetry;
            }
            await Task.Delay(pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return false;
    }

    private async Task HandOverAsync()
    {
        stores.End();
        foreach (var records in stored)
            quarantine.Clear(records.Kind);
        await tasks.UnloadAsync();
        hub.CloseAll("another node leads now: connect again");
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Taking over waits for the store: {Reason}")]
    private partial void LogInterrupted(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Taking over failed and is tried again")]
    private partial void LogDefect(Exception failure);
}
