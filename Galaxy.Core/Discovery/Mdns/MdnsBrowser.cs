using System.Net;

namespace Galaxy.Core.Discovery.Mdns;

/// <summary>
/// The asking half of multicast DNS on one link (RFC 6762, sections 5, 7 and 10; RFC 6763): looks for services of our
/// type, fetches what is missing about them, keeps them fresh, and notices when they go. Reads no clock and has no
/// socket. Not thread-safe.
/// </summary>
public sealed class MdnsBrowser
{
    private const int MostQuestions = 16;
    private const int MostMissing = 3;
    private const int MostInstances = 1000;
    private static readonly string Service = RecordKey.Lower(ServiceTxt.ServiceType);

    private readonly Random _random;
    private readonly RecordCache _cache = new();
    private readonly Dictionary<string, Missing> _missing = new(StringComparer.Ordinal);
    private readonly HashSet<string> _listed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _found = new(StringComparer.Ordinal);

    // Which instances run on a host, by lower-case names.
    private readonly Dictionary<string, HashSet<string>> _hosts = new(StringComparer.Ordinal);
    private TimeSpan _nextBrowse;
    private TimeSpan _browsePause;

    private sealed class Missing
    {
        public int Asked { get; set; }
        public TimeSpan Due { get; set; }
    }

    public MdnsBrowser(Random random, TimeSpan now)
    {
        _random = random;
        Restart(now);
    }

    /// <summary>Instances that are known in full.</summary>
    public int Count => _found.Count;

    /// <summary>When <see cref="Tick"/> is wanted next.</summary>
    public TimeSpan NextTick
    {
        get
        {
            var next = _nextBrowse < _cache.NextTurn ? _nextBrowse : _cache.NextTurn;
            foreach (var missing in _missing.Values)
                next = missing.Due < next ? missing.Due : next;
            return next;
        }
    }

    /// <summary>
    /// Sends a query soon, and repeats it with growing pauses: the link is new, came back, or a caller requested a
    /// scan.
    /// </summary>
    public void Restart(TimeSpan now)
    {
        _nextBrowse =
            now
            + MdnsTiming.ShortestDelay
            + ((MdnsTiming.LongestDelay - MdnsTiming.ShortestDelay) * _random.NextDouble());
        _browsePause = MdnsTiming.FirstBrowse;
    }

    /// <summary>Does what is due.</summary>
    public IReadOnlyList<MdnsEffect> Tick(TimeSpan now)
    {
        var effects = new List<MdnsEffect>();
        var questions = new HashSet<DnsQuestion>();
        foreach (var (entry, expired) in _cache.Due(now, _random.NextDouble).ToList())
        {
            if (expired)
                Expire(entry, effects);
            else
                questions.Add(new DnsQuestion(entry.Record.Name, entry.Record.Type));
        }
        foreach (var (name, missing) in _missing.Where(pair => pair.Value.Due <= now).ToList())
        {
            missing.Asked++;
            missing.Due = now + (MdnsTiming.FirstBrowse * (1 << missing.Asked));
            foreach (var question in Lacking(name))
                questions.Add(question);
            if (missing.Asked >= MostMissing)
                _missing.Remove(name);
        }
        if (now >= _nextBrowse)
        {
            Browsed(now);
            effects.AddRange(
                DnsPacker
                    .Pack(
                        new DnsMessage
                        {
                            Questions = [new DnsQuestion(ServiceTxt.ServiceType, DnsType.Ptr)],
                            Answers = Known(now),
                        }
                    )
                    .Select(packet => new MdnsEffect.Send(packet, null))
            );
        }
        foreach (var few in questions.Chunk(MostQuestions))
            effects.AddRange(
                DnsPacker.Pack(new DnsMessage { Questions = few }).Select(packet => new MdnsEffect.Send(packet, null))
            );
        return effects;
    }

    /// <summary>Takes in a message of the link.</summary>
    public IReadOnlyList<MdnsEffect> Hear(DnsMessage message, TimeSpan now)
    {
        if (!message.IsResponse)
        {
            HearQuery(message, now);
            return [];
        }
        var effects = new List<MdnsEffect>();
        var touched = new HashSet<string>(StringComparer.Ordinal);
        var records = message
            .Answers.Concat(message.Additionals)
            .Select(record => (record, Key: RecordKey.TryOf(record)))
            .Where(pair => pair.Key is not null)
            .Select(pair => (pair.record, pair.Key!.Value))
            .ToList();
        foreach (
            var (record, key) in records.Where(pair => pair.record.Type is DnsType.Ptr or DnsType.Srv or DnsType.Txt)
        )
            HearOfInstance(record, key, now, touched, effects);
        foreach (var (record, key) in records.Where(pair => pair.record.Type is DnsType.A or DnsType.Aaaa))
        {
            if (
                _hosts.TryGetValue(key.Name, out var instances)
                && _cache.Add(record, key, now, _random.NextDouble()) is not null
            )
                touched.UnionWith(instances);
        }
        foreach (var instance in touched)
            Resolve(instance, now, effects);
        return effects;
    }

    private void HearOfInstance(
        DnsRecord record,
        RecordKey key,
        TimeSpan now,
        HashSet<string> touched,
        List<MdnsEffect> effects
    )
    {
        if (record.Type == DnsType.Ptr)
        {
            if (key.Name != Service || record.Data is not string target || !IsInstance(RecordKey.Lower(target)))
                return;
            var name = RecordKey.Lower(target);
            if (record.Ttl == 0 && _listed.Remove(name) && _found.Remove(name))
                effects.Add(new MdnsEffect.Gone(target));
            if (_cache.Add(record, key, now, _random.NextDouble()) is not null && record.Ttl > 0 && _listed.Add(name))
                touched.Add(name);
            return;
        }
        if (!IsInstance(key.Name) || _cache.Add(record, key, now, _random.NextDouble()) is null)
            return;
        if (record.Ttl == 0)
        {
            if (record.Type == DnsType.Srv && _found.Remove(key.Name))
                effects.Add(new MdnsEffect.Gone(record.Name));
            return;
        }
        if (record.Data is DnsSrv srv)
        {
            var host = RecordKey.Lower(srv.Target);
            if (!_hosts.TryGetValue(host, out var instances) && _hosts.Count < MostInstances)
                _hosts[host] = instances = [];
            if (instances is { Count: < MostInstances })
                instances.Add(key.Name);
        }
        touched.Add(key.Name);
    }

    private void Resolve(string instance, TimeSpan now, List<MdnsEffect> effects)
    {
        if (!_listed.Contains(instance))
            return;
        var lacking = Lacking(instance).ToList();
        if (
            _cache.Newest(instance, DnsType.Srv) is not { Record.Data: DnsSrv srv } service
            || _cache.Newest(instance, DnsType.Txt) is not { Record.Data: IReadOnlyList<byte[]> text }
        )
        {
            Fetch(instance, now);
            return;
        }
        if (lacking.Count > 0)
            Fetch(instance, now);
        else
            _missing.Remove(instance);
        if (_found.Count >= MostInstances && !_found.Contains(instance))
            return;
        _found.Add(instance);
        var host = RecordKey.Lower(srv.Target);
        var addresses = _cache
            .Find(host, DnsType.A)
            .Concat(_cache.Find(host, DnsType.Aaaa))
            .Select(entry => entry.Record.Data)
            .OfType<IPAddress>()
            .ToList();
        effects.Add(
            new MdnsEffect.Found(
                new MdnsInstance(service.Record.Name, srv, ServiceTxt.Read(text), addresses, service.Until)
            )
        );
    }

    private void Fetch(string instance, TimeSpan now)
    {
        // What came in pieces is usually complete a moment later.
        if (_missing.Count < MostInstances)
            _missing.TryAdd(instance, new Missing { Due = now + MdnsTiming.LongestDelay });
    }

    private IEnumerable<DnsQuestion> Lacking(string instance)
    {
        if (_cache.Find(instance, DnsType.Txt).Count == 0)
            yield return new DnsQuestion(instance, DnsType.Txt);
        if (_cache.Newest(instance, DnsType.Srv) is not { Record.Data: DnsSrv srv })
        {
            yield return new DnsQuestion(instance, DnsType.Srv);
            yield break;
        }
        var host = RecordKey.Lower(srv.Target);
        if (_cache.Find(host, DnsType.A).Count > 0 || _cache.Find(host, DnsType.Aaaa).Count > 0)
            yield break;
        yield return new DnsQuestion(srv.Target, DnsType.A);
        yield return new DnsQuestion(srv.Target, DnsType.Aaaa);
    }

    private void Expire(RecordCache.Entry entry, List<MdnsEffect> effects)
    {
        if (entry.Key.Type == DnsType.Srv)
        {
            if (_found.Remove(entry.Key.Name))
                effects.Add(new MdnsEffect.Gone(entry.Record.Name));
            if (entry.Record.Data is DnsSrv srv && _hosts.TryGetValue(RecordKey.Lower(srv.Target), out var instances))
            {
                instances.Remove(entry.Key.Name);
                if (instances.Count == 0)
                    _hosts.Remove(RecordKey.Lower(srv.Target));
            }
        }
        else if (entry.Key.Type == DnsType.Ptr && entry.Record.Data is string target)
        {
            _listed.Remove(RecordKey.Lower(target));
            _missing.Remove(RecordKey.Lower(target));
        }
    }

    // Another host sends the query that this browser would send. If its known answers are all known here, that query
    // serves this browser as well (7.3).
    private void HearQuery(DnsMessage query, TimeSpan now)
    {
        if (
            query.Truncated
            || !query.Questions.Any(question =>
                question.Type == DnsType.Ptr && !question.Unicast && RecordKey.Lower(question.Name) == Service
            )
        )
            return;
        var ours = _cache.Find(Service, DnsType.Ptr).Select(entry => entry.Key).ToHashSet();
        if (
            _nextBrowse - now < _browsePause / 2
            && _browsePause >= MdnsTiming.LastBrowse
            && query.Answers.All(known => RecordKey.TryOf(known) is { } key && ours.Contains(key))
        )
            Browsed(now);
    }

    private void Browsed(TimeSpan now)
    {
        _nextBrowse = now + (_browsePause * (0.9 + (0.2 * _random.NextDouble())));
        _browsePause = _browsePause * 2 < MdnsTiming.LastBrowse ? _browsePause * 2 : MdnsTiming.LastBrowse;
    }

    // With the lives that they have left (7.1).
    private List<DnsRecord> Known(TimeSpan now) =>
        [
            .. _cache
                .Find(Service, DnsType.Ptr)
                .Where(entry => (entry.Until - now).TotalSeconds > entry.Record.Ttl / 2.0)
                .Select(entry => entry.Record with { Ttl = (uint)(entry.Until - now).TotalSeconds }),
        ];

    private static bool IsInstance(string lowerName) =>
        lowerName.Length > Service.Length + 1 && lowerName.EndsWith("." + Service, StringComparison.Ordinal);
}
