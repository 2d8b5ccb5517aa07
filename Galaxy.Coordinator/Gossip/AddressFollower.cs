using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Replica;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Gossip;

/// <summary>
/// Follows this machine's address when it changes: tells the members, and gives the lease up if this node holds it,
/// because the lease says where the leader is.
/// </summary>
internal sealed partial class AddressFollower(
    ListenAddresses addresses,
    OwnAddresses own,
    Identity identity,
    Membership membership,
    Elector elector,
    TimeProvider time,
    ILogger<AddressFollower> log
) : PeriodicService(TimeSpan.FromSeconds(1), time, log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private readonly ILogger _log = log;

    protected override async Task TurnAsync(CancellationToken stopping)
    {
        var before = addresses.Host;
        if (!addresses.Follow(own))
            return;
        LogMoved(_log, before, addresses.Host);
        membership.Move(identity.Url, identity.GrpcUrl);
        await elector.ResignAsync(null, "address changed", Patience, stopping);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "This machine's address was {Before} and is {Now}")]
    private static partial void LogMoved(ILogger log, string before, string now);
}
