using Galaxy.Contracts.Election;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;

namespace Galaxy.Coordinator.Leadership;

/// <summary>
/// Holds a connection to the leader: when its process dies, the operating system resets it within a millisecond, which
/// is the notice that begins the proof.
/// </summary>
internal sealed class LeaderLink(
    Elector elector,
    Membership membership,
    CoordinatorChannels channels,
    Identity identity,
    NodeOptions node,
    TimeProvider time
) : BackgroundService
{
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(100);

    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        // A loop that is started again has subscribed already.
        if (ExecuteTask is null)
            elector.LeaderChanged += _ =>
                Interlocked
                    .Exchange(
                        ref _changed,
                        new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
                    )
                    .TrySetResult();
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var changed = Volatile.Read(ref _changed).Task;
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            var holding =
                elector.Leader is { } leader && leader.Boot != identity.Boot
                    ? HoldAsync(leader, ends.Token)
                    : Task.CompletedTask;
            await changed.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await ends.CancelAsync();
            await holding;
        }
    }

    private async Task HoldAsync(LeaseRecord leader, CancellationToken ends)
    {
        while (!ends.IsCancellationRequested)
        {
            var member = membership.Members.Find(leader.Holder);
            if (member?.Boot == leader.Boot)
            {
                await UntilItEndsAsync(member.GrpcUrl, ends);
                if (ends.IsCancellationRequested)
                    return;
                elector.Post(new ElectionInput.HungUp(leader.Boot));
            }
            else if (member is not null && LeaderProbe.IsLater(member, leader))
            {
                elector.Post(new ElectionInput.HungUp(leader.Boot));
            }
            await Task.Delay(Again, time, ends).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task UntilItEndsAsync(string grpcUrl, CancellationToken ends)
    {
        try
        {
            using var call = channels
                .Election(grpcUrl)
                .Hold(new HoldRequest { NodeId = node.NodeId }, cancellationToken: ends);
            await foreach (var _ in call.ResponseStream.ReadAllAsync(ends))
            {
                // Which process it is, is asked when it matters: on the call after the connection was lost.
            }
        }
        catch (Exception ended)
            when (ended is RpcException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            // That is the notice.
        }
    }
}
