using System.Collections.Concurrent;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.Election;
using Galaxy.Core.Membership;

namespace Galaxy.Coordinator.Gossip;

/// <summary>
/// Names are unique: a second process under the name of one that lives is refused, and both sides say so. Thread-safe.
/// </summary>
internal sealed partial class NameGuard(Membership membership, LeaderProbe probe, ILogger<NameGuard> log)
{
    // A process that was found to have replaced another is not examined again with each exchange.
    private readonly ConcurrentDictionary<string, string> _cleared = new(StringComparer.Ordinal);

    /// <summary>Null when the sender may have its name; otherwise the sentence to refuse it with.</summary>
    public async Task<string?> RefusalAsync(Member sender)
    {
        var known = membership.Members.Find(sender.NodeId);
        // Of two, the one that started later is in the wrong. Dead and departed members have no claim to a name.
        if (
            known is null or { State: MemberState.Dead or MemberState.Left }
            || known.Boot == sender.Boot
            || sender.StartedAtUnixMs < known.StartedAtUnixMs
            || _cleared.GetValueOrDefault(sender.NodeId) == sender.Boot
        )
            return null;
        var lives =
            sender.NodeId == membership.Members.Self
            || await probe.CallAsync(known.GrpcUrl, known.Boot) == RedialOutcome.Alive;
        if (!lives)
        {
            _cleared[sender.NodeId] = sender.Boot;
            return null;
        }
        LogRefused(sender.NodeId, sender.GrpcUrl, known.GrpcUrl);
        return $"The name '{sender.NodeId}' is taken by the process at {known.GrpcUrl}, which is alive";
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "A second process calls itself '{NodeId}', at {Address}; it is refused, as the one at "
            + "{Known} is alive"
    )]
    private partial void LogRefused(string nodeId, string address, string known);
}
