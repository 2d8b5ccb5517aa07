using System.Net.Sockets;
using Galaxy.Contracts.Election;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.Election;
using Galaxy.Core.Membership;
using Galaxy.ServiceDefaults.Cluster;
using Grpc.Core;

namespace Galaxy.Coordinator.Leadership;

/// <summary>Calls a process whose connection was lost, and asks others to do the same.</summary>
internal sealed class LeaderProbe(Membership membership, CoordinatorChannels channels, TimeProvider time)
{
    private static readonly TimeSpan Patience = LeaseSettings.Lan.RedialPatience;

    public Task<RedialOutcome> RedialAsync(LeaseRecord leader) =>
        Known(leader) is not { } member ? Task.FromResult(RedialOutcome.Silent)
        : IsLater(member, leader) ? Task.FromResult(RedialOutcome.Gone)
        : CallAsync(member.GrpcUrl, leader.Boot);

    /// <summary>
    /// Gossip knows a process of that name, at the leader's own address, that started after the lease was acquired: two
    /// do not share an address. At another one it may be a namesake. Both times are that machine's own.
    /// </summary>
    public static bool IsLater(Member member, LeaseRecord leader) =>
        member.Boot != leader.Boot && member.Url == leader.Url && member.StartedAtUnixMs > leader.AcquiredUnixMs;

    // At another address it is another process, whose answer says nothing of the leader.
    private Member? Known(LeaseRecord leader) =>
        membership.Members.Find(leader.Holder) is { } member && member.Url == leader.Url ? member : null;

    /// <summary>Connects anew. Refused, or answered by another process: it has ended. A timeout says nothing.</summary>
    public async Task<RedialOutcome> CallAsync(string grpcUrl, string boot)
    {
        if (!Uri.TryCreate(grpcUrl, UriKind.Absolute, out var address))
            return RedialOutcome.Silent;
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            using (var socket = new Socket(SocketType.Stream, ProtocolType.Tcp))
                await socket.ConnectAsync(address.Host, address.Port, patience.Token);
            var answer = await channels.Election(grpcUrl).WhoAsync(new WhoRequest(), cancellationToken: patience.Token);
            return answer.Boot == boot ? RedialOutcome.Alive : RedialOutcome.Gone;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return RedialOutcome.Gone;
        }
        catch (Exception silent) when (silent is SocketException or RpcException or OperationCanceledException)
        {
            return RedialOutcome.Silent;
        }
    }

    /// <summary>True as soon as one other coordinator has found that the process is gone.</summary>
    public async Task<bool> AskWitnessesAsync(LeaseRecord leader)
    {
        var address = Known(leader)?.GrpcUrl ?? "";
        var request = new WitnessRequest
        {
            NodeId = leader.Holder,
            Boot = leader.Boot,
            GrpcUrl = address,
        };
        var deadline = time.GetUtcNow().UtcDateTime + Patience * 2;
        var asked = membership
            .Members.OtherLive.Where(member => member.NodeId != leader.Holder)
            .Select(member => AskAsync(member, request, deadline))
            .ToList();
        await foreach (var answer in Task.WhenEach(asked))
        {
            if (await answer)
                return true;
        }
        return false;
    }

    private async Task<bool> AskAsync(Member witness, WitnessRequest request, DateTime deadline)
    {
        try
        {
            return (await channels.Election(witness.GrpcUrl).WitnessAsync(request, deadline: deadline)).Gone;
        }
        catch (RpcException)
        {
            return false;
        }
    }
}
