namespace Galaxy.Core.Discovery.Mdns;

/// <summary>
/// Records heard on one link, with the ends of their lives (RFC 6762, section 10). Keeps what leads to services of our
/// type and nothing else, at most <see cref="Capacity"/> records. Not thread-safe.
/// </summary>
internal sealed class RecordCache(int capacity = RecordCache.DefaultCapacity)
{
    private const int DefaultCapacity = 8192;
    private const int SpareTurns = 1024;

    // Whatever a record claims.
    private static readonly TimeSpan LongestLife = TimeSpan.FromSeconds(MdnsTiming.SharedTtl);

    private readonly Dictionary<RecordKey, Entry> _entries = [];
    private readonly Dictionary<(string Name, DnsType Type), List<Entry>> _sets = [];
    private readonly PriorityQueue<Entry, TimeSpan> _turns = new();

    public sealed class Entry(RecordKey key, DnsRecord record)
    {
        public RecordKey Key { get; } = key;
        public DnsRecord Record { get; set; } = record;
        public TimeSpan HeardAt { get; set; }
        public TimeSpan Until { get; set; }

        /// <summary>How often it was asked for again in this life.</summary>
        public int Asked { get; set; }

        public TimeSpan Turn { get; set; }
        public bool Dropped { get; set; }
    }

    public int Capacity { get; } = capacity;

    public int Count => _entries.Count;

    /// <summary>Turns that are planned, outdated ones among them: in proportion to <see cref="Count"/>.</summary>
    public int Turns => _turns.Count;

    /// <summary>When something expires or wants to be asked for again.</summary>
    public TimeSpan NextTurn
    {
        get
        {
            while (_turns.TryPeek(out var entry, out var turn))
            {
                if (!entry.Dropped && entry.Turn == turn)
                    return turn;
                _turns.Dequeue();
            }
            return TimeSpan.MaxValue;
        }
    }

    public IReadOnlyList<Entry> Find(string lowerName, DnsType type) =>
        _sets.GetValueOrDefault((lowerName, type)) ?? (IReadOnlyList<Entry>)[];

    /// <summary>
    /// The one heard last, for types of which there is one: for a second the one before it is kept as well (10.2).
    /// </summary>
    public Entry? Newest(string lowerName, DnsType type) =>
        _sets.TryGetValue((lowerName, type), out var set) ? set.MaxBy(entry => entry.HeardAt) : null;

    /// <summary>Takes in a record; null when it is not kept.</summary>
    public Entry? Add(DnsRecord record, RecordKey key, TimeSpan now, double jitter)
    {
        if (record.CacheFlush && record.Ttl > 0)
            Flush(key, now);
        if (!_entries.TryGetValue(key, out var entry))
        {
            if (record.Ttl == 0 || _entries.Count >= Capacity)
                return null;
            entry = _entries[key] = new Entry(key, record);
            if (!_sets.TryGetValue((key.Name, key.Type), out var set))
                _sets[(key.Name, key.Type)] = set = [];
            set.Add(entry);
        }
        entry.Record = record.Ttl > 0 ? record : entry.Record;
        entry.HeardAt = now;
        entry.Asked = 0;
        // Node addresses live a minute here, whatever others say: a node not heard of for that long is lost.
        var life = record.Type == DnsType.Srv ? Math.Min(record.Ttl, MdnsTiming.HostTtl) : record.Ttl;
        entry.Until =
            record.Ttl == 0
                ? now + MdnsTiming.Grace
                : now + (life > LongestLife.TotalSeconds ? LongestLife : TimeSpan.FromSeconds(life));
        Plan(entry, jitter);
        return entry;
    }

    // The set is complete as it is told now: what was not repeated within a second is no longer in it (10.2).
    private void Flush(RecordKey key, TimeSpan now)
    {
        foreach (var other in Find(key.Name, key.Type))
        {
            if (other.Key == key || other.HeardAt >= now - MdnsTiming.Grace || other.Until <= now + MdnsTiming.Grace)
                continue;
            other.Until = now + MdnsTiming.Grace;
            other.Asked = MdnsTiming.RefreshAt.Count;
            Plan(other, 0);
        }
    }

    /// <summary>Everything whose time has come: what expired is dropped, the rest is to be asked for again.</summary>
    public IEnumerable<(Entry Entry, bool Expired)> Due(TimeSpan now, Func<double> jitter)
    {
        while (NextTurn <= now)
        {
            var entry = _turns.Dequeue();
            if (entry.Until <= now)
            {
                Drop(entry);
                yield return (entry, true);
                continue;
            }
            entry.Asked++;
            Plan(entry, jitter());
            yield return (entry, false);
        }
    }

    private void Drop(Entry entry)
    {
        entry.Dropped = true;
        _entries.Remove(entry.Key);
        var set = _sets[(entry.Key.Name, entry.Key.Type)];
        set.Remove(entry);
        if (set.Count == 0)
            _sets.Remove((entry.Key.Name, entry.Key.Type));
    }

    private void Plan(Entry entry, double jitter)
    {
        var life = entry.Until - entry.HeardAt;
        // A list of services is asked for anyway, with its known answers: what is past half its life is then told
        // again.
        entry.Turn =
            entry.Key.Type != DnsType.Ptr && entry.Asked < MdnsTiming.RefreshAt.Count && life > MdnsTiming.Grace
                ? entry.HeardAt + (life * ((MdnsTiming.RefreshAt[entry.Asked] + (2 * jitter)) / 100))
                : entry.Until;
        _turns.Enqueue(entry, entry.Turn);
        // Each time that a record is heard makes one more, and old ones wait for their time: a chatterer must not fill
        // the memory.
        if (_turns.Count > SpareTurns + (2 * _entries.Count))
        {
            _turns.Clear();
            foreach (var living in _entries.Values)
                _turns.Enqueue(living, living.Turn);
        }
    }
}
