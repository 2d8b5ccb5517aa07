using Galaxy.Core.Election;

namespace Galaxy.Coordinator.Leadership;

/// <summary>What the store's channel said.</summary>
/// <param name="Release">Null: a lease was acquired. Otherwise how the one of that token was given up.</param>
internal readonly record struct LeaseEvent(long Token, LeaseRelease? Release)
{
    /// <summary>
    /// <c>acquired TOKEN</c>, or <c>released TOKEN FROM REASON TRACEPARENT SUCCESSOR</c>; the last two may be empty.
    /// </summary>
    public static LeaseEvent Parse(string message)
    {
        var words = message.Split(' ');
        return new LeaseEvent(
            words.Length > 1 ? LeaseStore.Number(words[1]) : 0,
            words is ["released", _, var from, var reason, var trace, var successor]
                ? new LeaseRelease(successor, from, reason, trace)
                : null
        );
    }
}
