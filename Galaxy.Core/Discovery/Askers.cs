namespace Galaxy.Core.Discovery;

/// <summary>
/// Remembers which nodes have asked, and which of them need no answer because they had one. Each of many nodes asks
/// every few seconds to announce itself, so the number of answers would be the square of the number of nodes. A node
/// that asks in quick succession is looking for others, and is always answered. Bounded. Not thread-safe.
/// </summary>
public sealed class Askers
{
    public const int Most = 1024;

    /// <summary>A node that asks again within this time is looking for others.</summary>
    private static readonly TimeSpan Looking = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, (TimeSpan Asked, TimeSpan Answered)> _askers = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    /// <summary>Records a question; true when the asking node needs no answer.</summary>
    /// <param name="life">How long an answer lasts; zero: every question is answered.</param>
    public bool IsInformed(string nodeId, TimeSpan life, TimeSpan now)
    {
        var known = _askers.TryGetValue(nodeId, out var before);
        if (known && now - before.Asked >= Looking && now - before.Answered < life)
        {
            _askers[nodeId] = before with { Asked = now };
            return true;
        }
        _askers[nodeId] = (now, now);
        if (!known)
            _order.Enqueue(nodeId);
        if (_order.Count > Most)
            _askers.Remove(_order.Dequeue());
        return false;
    }
}
