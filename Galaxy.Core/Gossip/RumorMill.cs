using Galaxy.Core.State;

namespace Galaxy.Core.Gossip;

/// <summary>How rumors spread.</summary>
public sealed record RumorSettings
{
    /// <summary>So many peers are told in each round.</summary>
    public int Fanout { get; init; } = 3;

    /// <summary>
    /// A rumor is passed on until it is this many rounds old. With a fanout of 3 and a tenth of all messages lost, a
    /// thousand nodes have heard it by then but for a chance of a few in ten thousand; anti-entropy reaches those.
    /// </summary>
    public int MaxHops { get; init; } = 10;

    /// <summary>So long a round lasts: about a round trip.</summary>
    public TimeSpan HopTime { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>How long a rumor is kept while all peers that have not heard it are busy.</summary>
    public TimeSpan KeepFor { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Rumors held at once; beyond it the oldest go, and anti-entropy brings what they said.</summary>
    public int Capacity { get; init; } = 4096;
}

/// <summary>Entries for one peer.</summary>
/// <param name="Hops">How many rounds old the rumors are when they arrive.</param>
/// <param name="Told">The other peers that are told them in the same round: the receiver need not tell these.</param>
public sealed record RumorBatch(string Peer, int Hops, IReadOnlyList<EntryId> Entries, IReadOnlyList<string> Told);

/// <summary>
/// Rumor mongering (Demers et al., "Epidemic algorithms for replicated database maintenance", 1987): what is news here
/// is told to a few peers in each round, each of them once, until it is old. Not thread-safe.
/// </summary>
public sealed class RumorMill(RumorSettings settings, Random random)
{
    // By key: of several writes of a key only the present entry travels, and it is as young as the youngest of them.
    private readonly Dictionary<EntryId, Rumor> _rumors = [];
    private readonly Queue<EntryId> _order = new();

    /// <summary>True while a rumor is queued.</summary>
    public bool IsBusy => _rumors.Count > 0;

    /// <summary>When the next rumor is to be told; null: there is none.</summary>
    public TimeSpan? NextDue => _rumors.Count == 0 ? null : _rumors.Values.Min(rumor => rumor.Due);

    /// <summary>Queues an entry that is news here.</summary>
    /// <param name="hops">0: written here. Otherwise what the message said.</param>
    /// <param name="knowing">The peer that told it, and the other peers that it told; empty: written here.</param>
    /// <param name="now">Monotonic time; the rumor is due at once.</param>
    public void Tell(EntryId id, int hops, IEnumerable<string> knowing, TimeSpan now)
    {
        if (hops >= settings.MaxHops)
            return;
        Keep(
            id,
            new Rumor
            {
                Hops = hops,
                Due = now,
                Since = now,
            },
            knowing
        );
    }

    /// <summary>A message did not reach its peer, though others may have been told that it would.</summary>
    /// <param name="others">All other peers.</param>
    public void Missed(EntryId id, string peer, IEnumerable<string> others, TimeSpan now)
    {
        if (_rumors.TryGetValue(id, out var rumor))
            rumor.Knows.Remove(peer);
        else
            Keep(
                id,
                new Rumor
                {
                    Hops = settings.MaxHops - 1,
                    Due = now + settings.HopTime,
                    Since = now,
                },
                others
            );
    }

    private void Keep(EntryId id, Rumor rumor, IEnumerable<string> knowing)
    {
        rumor.Knows.UnionWith(knowing);
        if (_rumors.TryAdd(id, rumor))
        {
            _order.Enqueue(id);
            while (_rumors.Count > settings.Capacity && _order.TryDequeue(out var oldest))
                _rumors.Remove(oldest);
        }
        else
        {
            _rumors[id] = rumor;
        }
    }

    /// <summary>
    /// A peer has sent the same entry by itself: neither this peer nor the peers that it told need be told.
    /// </summary>
    public void Knows(EntryId id, IEnumerable<string> peers)
    {
        if (_rumors.TryGetValue(id, out var rumor))
            rumor.Knows.UnionWith(peers);
    }

    /// <summary>
    /// Chooses which peers to tell which entries now: one round for each rumor that is due. A chosen peer counts as
    /// told; when the message is lost, other peers will tell it.
    /// </summary>
    /// <param name="peers">The live peers.</param>
    /// <param name="busy">Of these, the peers that are told nothing in this round.</param>
    public IReadOnlyList<RumorBatch> Round(IReadOnlyList<string> peers, TimeSpan now, IReadOnlySet<string>? busy = null)
    {
        var batches = new Dictionary<(string Peer, int Hops), (List<EntryId> Entries, HashSet<string> Told)>();
        foreach (var (id, rumor) in _rumors.Where(rumor => rumor.Value.Due <= now).ToList())
        {
            var ignorant = peers.Where(peer => !rumor.Knows.Contains(peer)).ToList();
            rumor.Due = now + settings.HopTime;
            var told = Choose(busy is null ? [.. ignorant] : [.. ignorant.Where(peer => !busy.Contains(peer))])
                .ToList();
            if (told.Count == 0 && ignorant.Count > 0)
            {
                // All of them are busy.
                if (now - rumor.Since >= settings.KeepFor)
                    _rumors.Remove(id);
                continue;
            }
            rumor.Hops++;
            rumor.Knows.UnionWith(told);
            foreach (var peer in told)
            {
                if (!batches.TryGetValue((peer, rumor.Hops), out var batch))
                    batches[(peer, rumor.Hops)] = batch = ([], new HashSet<string>(told, StringComparer.Ordinal));
                batch.Entries.Add(id);
                // With several rumors in one message, only the peers that are told all of them.
                batch.Told.IntersectWith(told);
            }
            if (rumor.Hops >= settings.MaxHops || told.Count == ignorant.Count)
                _rumors.Remove(id);
        }
        if (_rumors.Count == 0)
            _order.Clear();
        return
        [
            .. batches.Select(batch => new RumorBatch(
                batch.Key.Peer,
                batch.Key.Hops,
                batch.Value.Entries,
                [.. batch.Value.Told.Where(peer => peer != batch.Key.Peer)]
            )),
        ];
    }

    private IEnumerable<string> Choose(string[] peers)
    {
        // A partial shuffle: only as many as are taken.
        for (var i = 0; i < Math.Min(settings.Fanout, peers.Length); i++)
        {
            var other = random.Next(i, peers.Length);
            (peers[i], peers[other]) = (peers[other], peers[i]);
            yield return peers[i];
        }
    }

    private sealed class Rumor
    {
        public int Hops { get; set; }

        public TimeSpan Due { get; set; }

        public TimeSpan Since { get; init; }

        public HashSet<string> Knows { get; } = new(StringComparer.Ordinal);
    }
}
