using System.Threading.Channels;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Failover;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Tasks;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator;

/// <summary>What a node does when it starts to lead and when it stops; also keeps its place among the candidates current.</summary>
internal sealed partial class LeaderDuties(
    Elector elector, TaskEngine tasks, DeviceHub hub, DeviceRegistry registry, FailoverTracker failovers, FailoverLog failoverLog,
    GossipNode gossip, NodeOptions node, Identity identity, TimeProvider time, ILogger<LeaderDuties> log) : BackgroundService
{
    /// <summary>Devices held by a coordinator that died get this long to reconnect before they count as offline.</summary>
    private static readonly TimeSpan DeviceGrace = TimeSpan.FromSeconds(10);

    /// <summary>
    /// When a cluster starts, its nodes do not start in the same moment: until somebody has led, the others leave the primary
    /// this long to come up.
    /// </summary>
    private static readonly TimeSpan StartGrace = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan RetryEvery = TimeSpan.FromMilliseconds(200);

    private readonly Channel<bool> _turns = Channel.CreateUnbounded<bool>();
    private Task _forgetting = Task.CompletedTask;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        elector.BecameLeader += _ => _turns.Writer.TryWrite(true);
        elector.SteppedDown += _ => _turns.Writer.TryWrite(false);
        gossip.Changed += Rank;
        Rank();
        return base.StartAsync(cancellationToken);
    }

    private void Rank()
    {
        var rank = LeavesTheStartToThePrimary ? -1 : gossip.Candidates().ToList().IndexOf(gossip.Members.Self);
        elector.Post(new Core.Election.ElectionInput.Ranked(rank < 0 ? null : rank));
    }

    private bool LeavesTheStartToThePrimary =>
        node.FailoverPrimary is { } primary && primary != node.NodeId && elector.MaxToken == 0 && gossip.Now < StartGrace;

    private async Task RankAfterGraceAsync(CancellationToken stopping)
    {
        await Task.Delay(StartGrace, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Rank();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var ranking = RankAfterGraceAsync(stoppingToken);
        await foreach (var leads in _turns.Reader.ReadAllAsync(stoppingToken))
        {
            if (leads)
                await TakeOverAsync(stoppingToken);
            else
                await HandOverAsync();
        }
        await ranking;
    }

    private async Task TakeOverAsync(CancellationToken stopping)
    {
        var attempt = failovers.TakeWon();
        if (!await PersistAsync(() => tasks.LoadAsync(elector.CurrentToken ?? throw new NotLeaderException()), stopping))
            return;
        attempt?.Step("catch up");
        _forgetting = ForgetAbsentDevicesAsync(stopping);
        if (attempt is null)
            return;
        attempt.Step("announce");
        var record = attempt.Complete();
        await PersistAsync(() => failoverLog.WriteAsync(record), stopping);
    }

    // A leader that cannot load the open tasks would lead without doing its work: it tries as long as it leads.
    private async Task<bool> PersistAsync(Func<Task> action, CancellationToken stopping)
    {
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
            await Task.Delay(RetryEvery, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return false;
    }

    private async Task HandOverAsync()
    {
        await tasks.UnloadAsync();
        hub.CloseAll("another node leads now: connect again");
    }

    private async Task ForgetAbsentDevicesAsync(CancellationToken stopping)
    {
        await Task.Delay(DeviceGrace, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (elector.CurrentToken is null)
            return;
        foreach (var device in registry.List().Where(device => device.HeldBy.Length > 0 && device.HeldBy != identity.Boot && hub.Find(device.DeviceId) is null))
            registry.Update(device.DeviceId, stale => stale with { State = "offline", HeldBy = "" });
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await _forgetting;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Taking over waits for the store: {Reason}")]
    private partial void LogInterrupted(string reason);
}
