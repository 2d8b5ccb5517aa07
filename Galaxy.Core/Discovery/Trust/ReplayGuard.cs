namespace Galaxy.Core.Discovery.Trust;

/// <summary>
/// Decides whether a signed announcement is new: at most a minute old by a clock that allows for the sender's offset,
/// and not received before. Only announcements signed with the cluster's key get here, so a host without the key cannot
/// fill it. Not thread-safe.
/// </summary>
/// <remarks>
/// The sender's clock is measured when the sender answers a question of this node: the answer repeats this node's
/// nonce, so it was made after the question, whatever the sender's clock says.
/// </remarks>
public sealed class ReplayGuard
{
    public const int MostNodes = 1000;
    private const int NoncesPerNode = 256;

    /// <summary>Seconds.</summary>
    private const double Fresh = 60;

    // Packets overtake each other, but not by much.
    private const double Disorder = 10;

    private readonly Dictionary<string, Sender> _senders = new(StringComparer.Ordinal);

    private sealed class Sender
    {
        public double Skew { get; set; }
        public double Newest { get; set; } = double.NegativeInfinity;
        public double HeardAt { get; set; }
        public Queue<string> Order { get; } = new();
        public HashSet<string> Nonces { get; } = new(StringComparer.Ordinal);
    }

    public int Count => _senders.Count;

    /// <summary>
    /// Seconds that the sender's clock is ahead of ours, as far as is known; 0 before it was measured.
    /// </summary>
    public double SkewOf(string nodeId) => _senders.GetValueOrDefault(nodeId)?.Skew ?? 0;

    /// <summary>Null when it is new; otherwise <c>stale</c> or <c>replayed</c>.</summary>
    /// <param name="timestamp">The sender's clock, Unix seconds.</param>
    /// <param name="now">Our clock, Unix seconds.</param>
    /// <param name="answersUs">It repeats a nonce that we sent a moment ago.</param>
    public string? Refuse(string nodeId, string nonce, double timestamp, double now, bool answersUs)
    {
        var sender = _senders.GetValueOrDefault(nodeId);
        if (sender is not null && sender.Nonces.Contains(nonce))
            return "replayed";
        if (nonce.Length == 0)
            return "stale";
        if (!answersUs)
        {
            if (Math.Abs(now + (sender?.Skew ?? 0) - timestamp) > Fresh)
                return "stale";
            // Older than what its ring of nonces can vouch for.
            if (
                sender is not null
                && timestamp < sender.Newest - (sender.Order.Count < NoncesPerNode ? Fresh : Disorder)
            )
                return "replayed";
        }
        sender ??= Make(nodeId);
        sender.HeardAt = now;
        if (answersUs)
        {
            // Its clock was set: what it said before by the old one is stale by the new.
            if (Math.Abs(timestamp - now - sender.Skew) > Disorder)
                sender.Newest = timestamp;
            sender.Skew = timestamp - now;
        }
        sender.Newest = Math.Max(sender.Newest, timestamp);
        sender.Nonces.Add(nonce);
        sender.Order.Enqueue(nonce);
        if (sender.Order.Count > NoncesPerNode)
            sender.Nonces.Remove(sender.Order.Dequeue());
        return null;
    }

    private Sender Make(string nodeId)
    {
        if (_senders.Count >= MostNodes)
            _senders.Remove(_senders.MinBy(pair => pair.Value.HeardAt).Key);
        return _senders[nodeId] = new Sender();
    }
}
