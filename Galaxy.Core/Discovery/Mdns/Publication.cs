using System.Net;

namespace Galaxy.Core.Discovery.Mdns;

/// <summary>One service on one link: from the first probe for its names to its goodbye (RFC 6762, section 8).</summary>
internal sealed class Publication
{
    private readonly HashSet<RecordKey> _keys = [];
    private readonly Dictionary<RecordKey, TimeSpan> _multicast = [];
    private int _probes;
    private int _announcements;
    private TimeSpan _announcePause;

    public Publication(MdnsService service, IReadOnlyList<IPAddress> addresses, TimeSpan firstProbe)
    {
        Service = service;
        Set(service, addresses);
        Due = firstProbe;
    }

    public MdnsService Service { get; private set; }

    public IReadOnlyList<DnsRecord> Records { get; private set; } = [];

    public IEnumerable<DnsRecord> Unique => Records.Where(record => record.CacheFlush);

    /// <summary>The names are ours: questions about them are answered.</summary>
    public bool Established { get; private set; }

    /// <summary>When the next probe or announcement goes out.</summary>
    public TimeSpan Due { get; private set; }

    /// <summary>Other data under the same names (RFC 6762, section 8.4). Nothing when it is the same.</summary>
    public void Update(MdnsService service, IReadOnlyList<IPAddress> addresses, TimeSpan now)
    {
        var before = _keys.ToHashSet();
        Set(service, addresses);
        if (Established && !before.SetEquals(_keys))
            AnnounceFrom(now);
    }

    private void Set(MdnsService service, IReadOnlyList<IPAddress> addresses)
    {
        Service = service;
        Records = [.. service.Records(addresses)];
        _keys.Clear();
        _keys.UnionWith(Records.Select(RecordKey.Of));
        foreach (var old in _multicast.Keys.Where(key => !_keys.Contains(key)).ToList())
            _multicast.Remove(old);
    }

    public bool IsOurs(RecordKey key) => _keys.Contains(key);

    public bool HasName(string lower) => Unique.Any(record => RecordKey.Lower(record.Name) == lower);

    /// <summary>Probes from the beginning, from <paramref name="at"/> on.</summary>
    public void ProbeFrom(TimeSpan at) => (Established, _probes, Due) = (false, 0, at);

    public void AnnounceFrom(TimeSpan at) =>
        (_announcements, _announcePause, Due) = (MdnsTiming.Announcements, MdnsTiming.AnnounceEvery, at);

    /// <summary>The message that is due, or null.</summary>
    public DnsMessage? Tick(TimeSpan now)
    {
        if (now < Due)
            return null;
        if (!Established && _probes < MdnsTiming.Probes)
        {
            _probes++;
            Due = now + MdnsTiming.ProbeEvery;
            return Probe();
        }
        if (!Established)
        {
            Established = true;
            AnnounceFrom(now);
        }
        _announcements--;
        Due = _announcements > 0 ? now + _announcePause : TimeSpan.MaxValue;
        _announcePause *= 2;
        foreach (var record in Records)
            Multicast(record, now);
        return new DnsMessage
        {
            IsResponse = true,
            Authoritative = true,
            Answers = Records,
        };
    }

    // Asks for whatever there is under the names, and says in the authority section what they would hold.
    private DnsMessage Probe() =>
        new()
        {
            Questions =
            [
                new DnsQuestion(Service.FullName, DnsType.Any),
                new DnsQuestion(Service.HostName, DnsType.Any),
            ],
            Authorities = [.. Unique.Select(record => record with { CacheFlush = false })],
        };

    public DnsMessage Goodbye() =>
        new()
        {
            IsResponse = true,
            Authoritative = true,
            // The record that enumerates types is shared by all hosts, and another service may use the same addresses:
            // none of these is withdrawn.
            Answers =
            [
                .. Records
                    .Where(record =>
                        record.Type is not (DnsType.A or DnsType.Aaaa) && record.Name != MdnsService.Enumeration
                    )
                    .Select(record => record with { Ttl = 0 }),
            ],
        };

    /// <summary>When the record may be multicast again.</summary>
    public TimeSpan FreeAt(DnsRecord record, TimeSpan every) =>
        _multicast.TryGetValue(RecordKey.Of(record), out var last) ? last + every : TimeSpan.Zero;

    public bool MulticastSince(DnsRecord record, TimeSpan moment) =>
        _multicast.TryGetValue(RecordKey.Of(record), out var last) && last >= moment;

    public void Multicast(DnsRecord record, TimeSpan now) => _multicast[RecordKey.Of(record)] = now;

    /// <summary>
    /// Both of us probe for a name: negative when our records come first in the order of section 8.2, so that we lose;
    /// 0 when they are the same.
    /// </summary>
    public int CompareWith(IEnumerable<DnsRecord> theirs, string lowerName)
    {
        var ours = Sorted(Unique.Where(record => RecordKey.Lower(record.Name) == lowerName));
        var others = Sorted(theirs.Where(record => RecordKey.Lower(record.Name) == lowerName));
        for (var i = 0; i < ours.Count && i < others.Count; i++)
        {
            var order =
                ours[i].Type != others[i].Type
                    ? ours[i].Type.CompareTo(others[i].Type)
                    : string.CompareOrdinal(ours[i].Data, others[i].Data);
            if (order != 0)
                return order;
        }
        return ours.Count.CompareTo(others.Count);
    }

    private static List<RecordKey> Sorted(IEnumerable<DnsRecord> records) =>
        [.. records.Select(RecordKey.Of).OrderBy(key => key.Type).ThenBy(key => key.Data, StringComparer.Ordinal)];
}
