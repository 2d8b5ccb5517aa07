namespace Galaxy.Core.Membership;

/// <summary>
/// Which members' news is still to be told, and how often it was: each a number of times that grows with the logarithm
/// of the cluster, what was not told yet first, then in turn (SWIM, section 4.1). What is told is the table's present
/// word. Not thread-safe.
/// </summary>
public sealed class ClaimQueue(MembershipSettings settings)
{
    private readonly Dictionary<string, News> _news = new(StringComparer.Ordinal);
    private readonly Queue<News> _untold = new();
    private readonly Queue<News> _told = new();

    public int Count => _news.Count;

    /// <summary>There is news of a member. What was to be told of it before is old.</summary>
    public void Add(string nodeId)
    {
        var news = new News(nodeId);
        _news[nodeId] = news;
        _untold.Enqueue(news);
    }

    /// <summary>
    /// The next membership updates to send; an accusation of <paramref name="listener"/> comes first.
    /// </summary>
    public IReadOnlyList<Claim> Take(MembershipTable table, string listener)
    {
        var claims = new List<Claim>();
        // Lifeguard's buddy system: a suspected member hears of it at once, and can refute in its answer.
        if (table.ClaimOf(listener) is { Member.State: MemberState.Suspect or MemberState.Dead } accusation)
            claims.Add(accusation);
        if (_news.Count == 0)
            return claims;
        var times = (int)Math.Ceiling(settings.TellFactor * Math.Log10(table.Members.Count + 1));
        for (
            var untried = _untold.Count + _told.Count;
            untried > 0 && claims.Count < settings.ClaimsPerMessage;
            untried--
        )
        {
            var news = _untold.Count > 0 ? _untold.Dequeue() : _told.Dequeue();
            // Replaced by later news of the same member.
            if (_news.GetValueOrDefault(news.NodeId) != news)
                continue;
            if (++news.Times >= times)
                _news.Remove(news.NodeId);
            else
                _told.Enqueue(news);
            if (
                table.ClaimOf(news.NodeId) is { } claim
                && (claims.Count == 0 || claims[0].Member.NodeId != news.NodeId)
            )
                claims.Add(claim);
        }
        return claims;
    }

    private sealed class News(string nodeId)
    {
        public string NodeId => nodeId;

        public int Times { get; set; }
    }
}
