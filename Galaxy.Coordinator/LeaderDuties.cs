using System.Threading.Channels;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Failover;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Tasks;

namespace Galaxy.Coordinator;

/// <summary>What a node does when it starts to lead and when it stops; also keeps its place among the candidates current.</summary>
internal sealed partial class LeaderDuties(
    Elector elector, TaskEngine tasks, DeviceHub hub, DeviceRegistry registry, FailoverTracker failovers, FailoverLog failoverLog,
    GossipNode gossip, Identity identity, TimeProvider time, ILogger<LeaderDuties> log) : BackgroundService
{
    /// <summary>Devices held by a coordinator that died get this long to reconnect before they count as offline.</summary>
    private static readonly TimeSpan DeviceGrace = TimeSpan.FromSeconds(10);

    private readonly Channel<bool> _turns = Channel.CreateUnbounded<bool>();

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
        var rank = gossip.Candidates().ToList().IndexOf(gossip.Members.Self);
        elector.Post(new Core.Election.ElectionInput.Ranked(rank < 0 ? null : rank));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var leads in _turns.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                if (leads)
                    await TakeOverAsync();
                else
                    await HandOverAsync();
            }
            catch (Exception failure) when (failure is NotLeaderException or StoreUnavailableException)
            {
                LogInterrupted(failure.Message);
            }
        }
    }

    private async Task TakeOverAsync()
    {
        var attempt = failovers.TakeWon();
        await tasks.LoadAsync();
        attempt?.Step("catch up");
        _ = ForgetAbsentDevicesAsync();
        if (attempt is null)
            return;
        attempt.Step("announce");
        await failoverLog.WriteAsync(attempt.Complete());
    }

    private async Task HandOverAsync()
    {
        await tasks.UnloadAsync();
        hub.CloseAll("another node leads now: connect again");
    }

    private async Task ForgetAbsentDevicesAsync()
    {
        await Task.Delay(DeviceGrace, time);
        if (elector.CurrentToken is null)
            return;
        foreach (var device in registry.List().Where(device => device.HeldBy.Length > 0 && device.HeldBy != identity.Boot && hub.Find(device.DeviceId) is null))
            registry.Update(device.DeviceId, stale => stale with { State = "offline", HeldBy = "" });
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Taking over was interrupted: {Reason}")]
    private partial void LogInterrupted(string reason);
}
