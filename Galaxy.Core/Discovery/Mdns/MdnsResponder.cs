using System.Net;

namespace Galaxy.Core.Discovery.Mdns;

/// <summary>
/// The answering half of multicast DNS on one link (RFC 6762, sections 6 to 10): probes for the names of the services
/// it is given, announces them, defends them, answers for them, and says goodbye. Reads no clock and has no socket. Not
/// thread-safe.
/// </summary>
public sealed class MdnsResponder(Random random)
{
    private const int MdnsPort = 5353;
    private const int MostPending = 64;

    private readonly Dictionary<string, Publication> _services = new(StringComparer.Ordinal);
    private readonly List<Pending> _pending = [];
    private readonly Queue<TimeSpan> _conflicts = new();
    private IReadOnlyList<IPAddress> _addresses = [];

    /// <summary>Answers that wait for their moment. <c>To</c> null: to the group.</summary>
    private sealed class Pending(TimeSpan due, IPEndPoint? to)
    {
        public TimeSpan Due { get; set; } = due;
        public IPEndPoint? To { get; } = to;
        public Dictionary<RecordKey, (DnsRecord Record, Publication Owner)> Answers { get; } = [];

        /// <summary>
        /// The asker of a truncated query that this answers, while more of its known answers may come.
        /// </summary>
        public IPEndPoint? Truncated { get; init; }
    }

    /// <summary>When <see cref="Tick"/> is wanted next.</summary>
    public TimeSpan NextTick
    {
        get
        {
            var next = TimeSpan.MaxValue;
            foreach (var service in _services.Values)
                next = service.Due < next ? service.Due : next;
            foreach (var pending in _pending)
                next = pending.Due < next ? pending.Due : next;
            return next;
        }
    }

    /// <summary>
    /// Publishes exactly these services from now on; says goodbye for those that are no longer among them.
    /// </summary>
    public IReadOnlyList<MdnsEffect> Publish(
        IReadOnlyList<MdnsService> services,
        IReadOnlyList<IPAddress> addresses,
        TimeSpan now
    )
    {
        var effects = new List<MdnsEffect>();
        _addresses = addresses;
        foreach (
            var gone in _services
                .Where(known =>
                    services.All(service =>
                        service.FullName != known.Key || service.HostName != known.Value.Service.HostName
                    )
                )
                .ToList()
        )
        {
            if (gone.Value.Established)
                SendAll(gone.Value.Goodbye(), null, effects);
            _services.Remove(gone.Key);
            foreach (var pending in _pending)
            {
                foreach (
                    var key in pending
                        .Answers.Where(answer => answer.Value.Owner == gone.Value)
                        .Select(answer => answer.Key)
                        .ToList()
                )
                    pending.Answers.Remove(key);
            }
        }
        foreach (var service in services)
        {
            if (_services.TryGetValue(service.FullName, out var known))
                known.Update(service, addresses, now);
            else
                _services[service.FullName] = new Publication(service, addresses, FirstProbe(now));
        }
        return effects;
    }

    /// <summary>
    /// Everything again from the beginning: the link came back, and others may have taken the names meanwhile (8).
    /// </summary>
    public void Restart(TimeSpan now)
    {
        foreach (var service in _services.Values)
            service.ProbeFrom(FirstProbe(now));
    }

    /// <summary>The goodbyes of all services (10.1). Publishes nothing afterwards.</summary>
    public IReadOnlyList<MdnsEffect> Leave() => Publish([], _addresses, TimeSpan.Zero);

    /// <summary>Does what is due.</summary>
    public IReadOnlyList<MdnsEffect> Tick(TimeSpan now)
    {
        var effects = new List<MdnsEffect>();
        foreach (var service in _services.Values)
        {
            if (service.Tick(now) is { } message)
                SendAll(message, null, effects);
        }
        foreach (var pending in _pending.Where(pending => pending.Due <= now).ToList())
        {
            _pending.Remove(pending);
            Answer([.. pending.Answers.Values], pending.To, now, effects);
        }
        return effects;
    }

    /// <summary>Takes in a message of the link.</summary>
    public IReadOnlyList<MdnsEffect> Hear(DnsMessage message, IPEndPoint from, TimeSpan now)
    {
        var effects = new List<MdnsEffect>();
        if (message.IsResponse)
            HearResponse(message, now, effects);
        else
            HearQuery(message, from, now, effects);
        return effects;
    }

    private void HearResponse(DnsMessage message, TimeSpan now, List<MdnsEffect> effects)
    {
        foreach (var record in message.Answers.Concat(message.Additionals))
        {
            if (RecordKey.TryOf(record) is not { } key)
                continue;
            foreach (var service in _services.Values.ToList())
            {
                if (service.IsOurs(key))
                    HearOurs(service, record, key, now);
                else if (
                    record.Ttl > 0
                    && record.Type is not DnsType.Nsec
                    && service.HasName(key.Name)
                    && service.Unique.Any(own => own.Type == record.Type && RecordKey.Lower(own.Name) == key.Name)
                )
                    HearConflict(service, record.Name, now, effects);
            }
        }
    }

    // Another said the same, maybe this host by another link.
    private void HearOurs(Publication service, DnsRecord record, RecordKey key, TimeSpan now)
    {
        var own = service.Records.First(candidate => RecordKey.Of(candidate) == key);
        if (record.Ttl < own.Ttl / 2)
        {
            // Other hosts would forget the record too early (6.6): announce it again, at most once a second, however
            // often a short TTL is heard.
            if (service.Established && own.CacheFlush)
                service.AnnounceFrom(
                    service.FreeAt(own, MdnsTiming.RecordEvery) is var free && free > now ? free : now
                );
            return;
        }
        // Said by another already: no need to repeat it (7.4).
        foreach (var pending in _pending.Where(pending => pending.To is null && record.Ttl >= own.Ttl))
            pending.Answers.Remove(key);
    }

    private void HearConflict(Publication service, string name, TimeSpan now, List<MdnsEffect> effects)
    {
        if (service.Established)
        {
            // The name was established here, so the conflict may be a mistake: probing again decides which host keeps
            // it (9).
            service.ProbeFrom(FirstProbe(now));
            return;
        }
        _conflicts.Enqueue(now);
        while (_conflicts.Count > 0 && now - _conflicts.Peek() > MdnsTiming.ConflictWindow)
            _conflicts.Dequeue();
        effects.Add(new MdnsEffect.Conflict(name));
    }

    private void HearQuery(DnsMessage query, IPEndPoint from, TimeSpan now, List<MdnsEffect> effects)
    {
        Tie(query, now);
        // More known answers to an earlier question of the same asker.
        foreach (var waiting in _pending.Where(pending => pending.Truncated is { } asker && asker.Equals(from)))
            Forget(waiting.Answers, query.Answers);

        var legacy = from.Port != MdnsPort;
        var (multicast, unicast) = (
            new Dictionary<RecordKey, (DnsRecord, Publication)>(),
            new Dictionary<RecordKey, (DnsRecord, Publication)>()
        );
        foreach (var question in query.Questions)
        {
            foreach (var service in _services.Values.Where(service => service.Established))
            {
                foreach (var record in Matching(service, question))
                {
                    // Answer by unicast if the asker is a legacy resolver, or if the question asks for it and the
                    // record was multicast within a quarter of its TTL (5.4).
                    var privately =
                        legacy
                        || (
                            question.Unicast
                            && service.MulticastSince(record, now - TimeSpan.FromSeconds(record.Ttl / 4.0))
                        );
                    (privately ? unicast : multicast)[RecordKey.Of(record)] = (record, service);
                }
            }
        }
        Forget(multicast, query.Answers);
        Forget(unicast, query.Answers);
        if (unicast.Count > 0)
            AnswerPrivately(query, [.. unicast.Values], from, legacy, effects);
        if (multicast.Count > 0)
            Wait(query, multicast, from, now);
    }

    // Another host probes for a name that this host is probing for (8.2).
    private void Tie(DnsMessage query, TimeSpan now)
    {
        if (query.Authorities.Count == 0)
            return;
        foreach (var service in _services.Values.Where(service => !service.Established))
        {
            foreach (
                var name in query
                    .Questions.Select(question => RecordKey.Lower(question.Name))
                    .Distinct()
                    .Where(service.HasName)
            )
            {
                if (
                    query.Authorities.All(record => RecordKey.TryOf(record) is not null)
                    && service.CompareWith(query.Authorities, name) < 0
                )
                    service.ProbeFrom(now + MdnsTiming.TieDefer);
            }
        }
    }

    private void Wait(
        DnsMessage query,
        Dictionary<RecordKey, (DnsRecord Record, Publication Owner)> answers,
        IPEndPoint from,
        TimeSpan now
    )
    {
        var defence = query.Authorities.Count > 0;
        var delay =
            query.Truncated ? MdnsTiming.TruncatedDelay + (MdnsTiming.TruncatedSpread * random.NextDouble())
            : answers.Values.All(answer => answer.Record.CacheFlush) ? TimeSpan.Zero
            : MdnsTiming.ShortestDelay + ((MdnsTiming.LongestDelay - MdnsTiming.ShortestDelay) * random.NextDouble());
        var due = now + delay;
        foreach (var (record, owner) in answers.Values)
        {
            var free = owner.FreeAt(record, defence ? MdnsTiming.DefendEvery : MdnsTiming.RecordEvery);
            due = free > due ? free : due;
        }
        foreach (
            var key in answers
                .Keys.Where(key =>
                    _pending.Any(pending =>
                        pending.To is null && pending.Due <= due && pending.Answers.ContainsKey(key)
                    )
                )
                .ToList()
        )
            answers.Remove(key);
        if (answers.Count == 0 || _pending.Count >= MostPending)
            return;
        var waiting = new Pending(due, null) { Truncated = query.Truncated ? from : null };
        foreach (var (key, answer) in answers)
            waiting.Answers[key] = answer;
        _pending.Add(waiting);
    }

    private static void AnswerPrivately(
        DnsMessage query,
        List<(DnsRecord Record, Publication Owner)> answers,
        IPEndPoint to,
        bool legacy,
        List<MdnsEffect> effects
    )
    {
        var message = Response(answers);
        if (legacy)
        {
            // A plain resolver: its id, its question, no bits that it does not know, short lives (6.7).
            message = message with
            {
                Id = query.Id,
                Questions = query.Questions,
                Answers = [.. message.Answers.Select(Plain)],
                Additionals = [.. message.Additionals.Select(Plain)],
            };
        }
        SendAll(message, to, effects);

        static DnsRecord Plain(DnsRecord record) =>
            record with
            {
                CacheFlush = false,
                Ttl = Math.Min(record.Ttl, MdnsTiming.LegacyTtl),
            };
    }

    private static void Answer(
        List<(DnsRecord Record, Publication Owner)> answers,
        IPEndPoint? to,
        TimeSpan now,
        List<MdnsEffect> effects
    )
    {
        if (answers.Count == 0)
            return;
        var message = Response(answers);
        foreach (var (record, owner) in answers)
            owner.Multicast(record, now);
        SendAll(message, to, effects);
    }

    // With what the asker will want next (RFC 6763, section 12).
    private static DnsMessage Response(List<(DnsRecord Record, Publication Owner)> answers)
    {
        var said = answers.Select(answer => RecordKey.Of(answer.Record)).ToHashSet();
        var more = answers
            .SelectMany(answer => More(answer.Record, answer.Owner))
            .Where(record => said.Add(RecordKey.Of(record)));
        return new DnsMessage
        {
            IsResponse = true,
            Authoritative = true,
            Answers = [.. answers.Select(answer => answer.Record)],
            Additionals = [.. more],
        };
    }

    private static IEnumerable<DnsRecord> More(DnsRecord record, Publication owner) =>
        record.Type switch
        {
            DnsType.Ptr when record.Name != MdnsService.Enumeration => owner.Unique.Concat(
                Absent(owner, owner.Service.HostName)
            ),
            DnsType.Srv => owner
                .Unique.Where(other => other.Type is DnsType.A or DnsType.Aaaa)
                .Concat(Absent(owner, owner.Service.HostName)),
            DnsType.A or DnsType.Aaaa => owner
                .Unique.Where(other => other.Type is DnsType.A or DnsType.Aaaa)
                .Concat(Absent(owner, owner.Service.HostName)),
            _ => [],
        };

    private static IEnumerable<DnsRecord> Matching(Publication service, DnsQuestion question)
    {
        var name = RecordKey.Lower(question.Name);
        var found = service
            .Records.Where(record =>
                RecordKey.Lower(record.Name) == name && (question.Type == DnsType.Any || question.Type == record.Type)
            )
            .ToList();
        // The name is ours and has no such record: NSEC says so (6.1).
        return found.Count > 0 || question.Type == DnsType.Any || !service.HasName(name) ? found : Nsec(service, name);
    }

    // That a host has no address of one family is worth saying before it is asked.
    private static IEnumerable<DnsRecord> Absent(Publication service, string host) =>
        service.Unique.Select(record => record.Type).Where(type => type is DnsType.A or DnsType.Aaaa).Distinct().Count()
        == 1
            ? Nsec(service, RecordKey.Lower(host))
            : [];

    private static IEnumerable<DnsRecord> Nsec(Publication service, string lowerName)
    {
        var present = service.Unique.Where(record => RecordKey.Lower(record.Name) == lowerName).ToList();
        return present.Count == 0
            ? []
            :
            [
                new DnsRecord(
                    present[0].Name,
                    DnsType.Nsec,
                    MdnsTiming.HostTtl,
                    (IReadOnlyList<DnsType>)[.. present.Select(record => record.Type).Distinct().Order()],
                    CacheFlush: true
                ),
            ];
    }

    // Known answers: the asker has the record with at least half its life left (7.1).
    private static void Forget(
        Dictionary<RecordKey, (DnsRecord Record, Publication Owner)> answers,
        IReadOnlyList<DnsRecord> known
    )
    {
        foreach (var record in known)
        {
            if (
                RecordKey.TryOf(record) is { } key
                && answers.TryGetValue(key, out var answer)
                && record.Ttl >= answer.Record.Ttl / 2
            )
                answers.Remove(key);
        }
    }

    private TimeSpan FirstProbe(TimeSpan now) =>
        now
        + (
            _conflicts.Count >= MdnsTiming.ManyConflicts
                ? MdnsTiming.ConflictPause
                : MdnsTiming.ProbeDelay * random.NextDouble()
        );

    private static void SendAll(DnsMessage message, IPEndPoint? to, List<MdnsEffect> effects) =>
        effects.AddRange(DnsPacker.Pack(message).Select(packet => new MdnsEffect.Send(packet, to)));
}
