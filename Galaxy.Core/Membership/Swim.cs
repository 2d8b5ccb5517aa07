namespace Galaxy.Core.Membership;

/// <summary>
/// One node's part in SWIM with Lifeguard's additions: decides which member to probe and when, what to answer, and
/// which membership updates to believe. Does no I/O and reads no clock: messages and the time come in, effects go out.
/// Not thread-safe.
/// </summary>
/// <remarks>
/// Das, Gupta, Motivala: "SWIM: Scalable Weakly-consistent Infection-style Process Group Membership Protocol", DSN
/// 2002. Dadgar, Phillips, Currey: "Lifeguard: Local Health Awareness for More Accurate Failure Detection", DSN-W 2018.
/// </remarks>
public sealed class Swim
{
    private const int MostErrands = 256;

    private readonly MembershipSettings _settings;
    private readonly Random _random;
    private readonly ClaimQueue _news;
    private readonly ProbeOrder _order;
    private readonly Dictionary<ulong, Outstanding> _probes = [];
    private readonly Dictionary<ulong, Errand> _errands = [];
    private ulong _number;
    private TimeSpan _nextProbe;
    private TimeSpan _nextTell;
    private TimeSpan _ticked;

    public Swim(Member self, MembershipSettings settings, Random random, TimeSpan now)
    {
        (_settings, _random, _news, _order) = (settings, random, new ClaimQueue(settings), new ProbeOrder(random));
        Table = MembershipTable.Create(self, now);
        _news.Add(self.NodeId);
        // Nodes that started together do not probe together.
        _nextProbe = now + (settings.ProbeEvery * random.NextDouble());
    }

    /// <summary>What this node believes.</summary>
    public MembershipTable Table { get; private set; }

    /// <summary>
    /// How far this node doubts itself, 0 to <see cref="MembershipSettings.WorstHealth"/>: a node that misses answers
    /// and is suspected by others is likely slow itself, probes less often, and waits longer before it accuses
    /// (Lifeguard, section IV-A).
    /// </summary>
    public int Health { get; private set; }

    /// <summary>When <see cref="Tick"/> is wanted next.</summary>
    public TimeSpan NextTick
    {
        get
        {
            // A node that doubts itself probes rarely; suspicions end in time all the same.
            var next = Earlier(_nextProbe, _ticked + _settings.ProbeEvery);
            if (_news.Count > 0)
                next = Earlier(next, _nextTell);
            foreach (var probe in _probes.Values)
                next = Earlier(next, probe.AskedOthers ? probe.Until : probe.DirectUntil);
            foreach (var errand in _errands.Values)
                next = Earlier(next, errand.NackAt);
            return next;
        }
    }

    private static TimeSpan Earlier(TimeSpan one, TimeSpan other) => one < other ? one : other;

    /// <summary>Takes in membership updates that came another way.</summary>
    public void Merge(IEnumerable<Claim> claims, TimeSpan now)
    {
        foreach (var claim in claims)
            Update(Table.Merge(claim, now), claim.Member.NodeId);
    }

    /// <summary>This node is reached elsewhere from now on: its machine has another address.</summary>
    public void Move(string url, string grpcUrl, TimeSpan now) => Update(Table.Move(url, grpcUrl, now), Table.Self);

    /// <summary>This node says goodbye.</summary>
    public void Leave(TimeSpan now) => Update(Table.Leave(now), Table.Self);

    /// <summary>
    /// Probes a member out of turn, because something makes one doubt it. Nothing when it is being probed already.
    /// </summary>
    public IReadOnlyList<SwimEffect> ProbeNow(string nodeId, TimeSpan now) =>
        Table.Find(nodeId) is { State: MemberState.Alive or MemberState.Suspect }
        && nodeId != Table.Self
        && _probes.Values.All(probe => probe.Target != nodeId)
            ? [Start(nodeId, now)]
            : [];

    /// <summary>Does what is due.</summary>
    public IReadOnlyList<SwimEffect> Tick(TimeSpan now)
    {
        _ticked = now;
        var effects = new List<SwimEffect>();
        foreach (var number in _probes.Keys.ToList())
        {
            if (!_probes[number].AskedOthers && now >= _probes[number].DirectUntil)
                AskOthers(number, now, effects);
            if (now >= _probes[number].Until)
                GiveUp(number, now);
        }
        foreach (var (number, errand) in _errands.Where(errand => now >= errand.Value.NackAt).ToList())
        {
            _errands.Remove(number);
            effects.Add(
                new SwimEffect.Send(errand.Asker, new SwimMessage.Nack(errand.AskersNumber, News(errand.Asker)))
            );
        }
        var table = Table.Tick(now, _settings);
        if (!ReferenceEquals(table, Table))
        {
            foreach (
                var nodeId in table.Members.Keys.Where(nodeId => table.Find(nodeId) != Table.Find(nodeId)).ToList()
            )
                _news.Add(nodeId);
            Table = table;
        }
        if (now >= _nextProbe)
        {
            _nextProbe = now + (_settings.ProbeEvery * (Health + 1));
            Probe(now, effects);
        }
        if (_news.Count > 0 && now >= _nextTell)
        {
            _nextTell = now + _settings.TellEvery;
            effects.AddRange(
                Some(Table.OtherLive, _settings.TellFanout)
                    .Select(peer => new SwimEffect.Send(peer, new SwimMessage.Tell(News(peer))))
            );
        }
        return effects;
    }

    /// <summary>Takes in a message. <paramref name="from"/> is the sender, known by name or not.</summary>
    public IReadOnlyList<SwimEffect> Receive(string from, SwimMessage message, TimeSpan now)
    {
        Merge(message.Claims, now);
        switch (message)
        {
            case SwimMessage.Ping:
                return [new SwimEffect.Send(from, new SwimMessage.Ack(message.Number, News(from)))];
            case SwimMessage.Ask when _errands.Count >= MostErrands:
                return [];
            case SwimMessage.Ask ask:
                _errands[++_number] = new Errand(from, ask.Number, now + (_settings.ProbeTimeout * 0.8));
                return [new SwimEffect.Send(ask.Target, new SwimMessage.Ping(_number, News(ask.Target)))];
            case SwimMessage.Ack when _errands.Remove(message.Number, out var errand):
                return
                [
                    new SwimEffect.Send(errand.Asker, new SwimMessage.Ack(errand.AskersNumber, News(errand.Asker))),
                ];
            case SwimMessage.Ack when _probes.Remove(message.Number, out var probe):
                Health = Math.Max(0, Health - 1);
                return [new SwimEffect.Answered(probe.Target, from == probe.Target)];
            case SwimMessage.Nack when _probes.TryGetValue(message.Number, out var probe):
                _probes[message.Number] = probe with { Nacks = probe.Nacks + 1 };
                return [];
            default:
                // An answer that came too late.
                return [];
        }
    }

    // Probes the next member in order, and each time also every member that this node accuses, so that the accused
    // member hears of it and can refute.
    private void Probe(TimeSpan now, List<SwimEffect> effects)
    {
        var targets = Table
            .Members.Values.Where(tracked => tracked.Accusers.Contains(Table.Self))
            .Select(tracked => tracked.Member.NodeId)
            .ToHashSet(StringComparer.Ordinal);
        if (_order.Next(Table) is { } next)
            targets.Add(next);
        targets.ExceptWith(_probes.Values.Select(probe => probe.Target));
        effects.AddRange(targets.Select(target => Start(target, now)));
    }

    private string[] Some(IEnumerable<Member> members, int count)
    {
        var some = members.Select(member => member.NodeId).ToArray();
        _random.Shuffle(some);
        return some.Length > count ? some[..count] : some;
    }

    private SwimEffect Start(string target, TimeSpan now)
    {
        var timeout = _settings.ProbeTimeout * (Health + 1);
        _probes[++_number] = new Outstanding(
            target,
            now + timeout,
            now + (timeout * (_settings.ProbeEvery / _settings.ProbeTimeout))
        );
        return new SwimEffect.Send(target, new SwimMessage.Ping(_number, News(target)));
    }

    private void AskOthers(ulong number, TimeSpan now, List<SwimEffect> effects)
    {
        var probe = _probes[number];
        effects.Add(new SwimEffect.Silent(probe.Target));
        var asked = Some(
            Table.OtherLive.Where(member => member.NodeId != probe.Target && member.State == MemberState.Alive),
            _settings.IndirectProbes
        );
        foreach (var other in asked)
            effects.Add(new SwimEffect.Send(other, new SwimMessage.Ask(number, probe.Target, News(other))));
        // With no member to ask for an indirect probe there is nothing to wait for: the probe ends now.
        _probes[number] = probe with
        {
            AskedOthers = true,
            Asked = asked.Length,
            Until = asked.Length == 0 ? now : probe.Until,
        };
    }

    private void GiveUp(ulong number, TimeSpan now)
    {
        _probes.Remove(number, out var probe);
        // Each member that was asked for an indirect probe and sent no answer at all counts against this node: perhaps
        // this node does not receive messages.
        Health = Math.Min(_settings.WorstHealth, Health + probe!.Asked - probe.Nacks);
        Update(Table.Suspect(probe.Target, now), probe.Target);
    }

    private IReadOnlyList<Claim> News(string listener) => _news.Take(Table, listener);

    private void Update(MembershipTable next, string about)
    {
        if (ReferenceEquals(next, Table))
            return;
        // It had to refute: others do not hear it in time.
        if (about == Table.Self && next.SelfMember.State == MemberState.Alive)
            Health = Math.Min(_settings.WorstHealth, Health + 1);
        Table = next;
        _news.Add(about);
    }

    private sealed record Outstanding(string Target, TimeSpan DirectUntil, TimeSpan Until)
    {
        public bool AskedOthers { get; init; }

        public int Asked { get; init; }

        public int Nacks { get; init; }
    }

    private sealed record Errand(string Asker, ulong AskersNumber, TimeSpan NackAt);
}
