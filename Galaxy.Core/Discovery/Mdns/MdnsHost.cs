using System.Net;

namespace Galaxy.Core.Discovery.Mdns;

/// <summary>
/// Multicast DNS on all links of a machine: one responder and one browser per link and address family, and the names
/// that the services have on all of them. Messages, the time and changes of links come in; datagrams and findings go
/// out. Not thread-safe.
/// </summary>
public sealed class MdnsHost(Random random)
{
    private const int MostRenames = 100;

    private readonly Dictionary<int, Link> _links = [];
    private readonly Dictionary<string, int> _attempts = new(StringComparer.Ordinal);

    private sealed record Link(MdnsResponder Responder, MdnsBrowser Browser)
    {
        public IReadOnlyList<IPAddress> Addresses { get; set; } = [];
        public IReadOnlyList<MdnsService> Wanted { get; set; } = [];
    }

    /// <summary>When <see cref="Tick"/> is wanted next.</summary>
    public TimeSpan NextTick
    {
        get
        {
            var next = TimeSpan.MaxValue;
            foreach (var link in _links.Values)
            {
                next = link.Responder.NextTick < next ? link.Responder.NextTick : next;
                next = link.Browser.NextTick < next ? link.Browser.NextTick : next;
            }
            return next;
        }
    }

    /// <summary>A service by the names that it has now: other than wanted where those were taken.</summary>
    public MdnsService Named(MdnsService service) =>
        _attempts.TryGetValue(service.Instance, out var attempt) ? service.Rename(attempt) : service;

    /// <summary>
    /// Publishes exactly these on a link, which may have other addresses than before. A link that is new is looked
    /// around on at once.
    /// </summary>
    public IReadOnlyList<(int Link, MdnsEffect Effect)> Publish(
        int id,
        IReadOnlyList<MdnsService> services,
        IReadOnlyList<IPAddress> addresses,
        TimeSpan now
    )
    {
        if (!_links.TryGetValue(id, out var link))
            link = _links[id] = new Link(new MdnsResponder(random), new MdnsBrowser(random, now));
        (link.Wanted, link.Addresses) = (services, addresses);
        foreach (
            var gone in _attempts
                .Keys.Where(name => _links.Values.All(other => other.Wanted.All(service => service.Instance != name)))
                .ToList()
        )
            _attempts.Remove(gone);
        return PublishAgain(id, link, now);
    }

    /// <summary>
    /// A link came back: others may have taken the names meanwhile, or have come (RFC 6762, section 8).
    /// </summary>
    public void Restart(int id, TimeSpan now)
    {
        if (!_links.TryGetValue(id, out var link))
            return;
        link.Browser.Restart(now);
        link.Responder.Restart(now);
    }

    /// <summary>A link went down: what was found on it stays with the caller until it expires there.</summary>
    public void Down(int id) => _links.Remove(id);

    /// <summary>Restarts the browser of every link.</summary>
    public void Scan(TimeSpan now)
    {
        foreach (var link in _links.Values)
            link.Browser.Restart(now);
    }

    /// <summary>Does what is due.</summary>
    public IReadOnlyList<(int Link, MdnsEffect Effect)> Tick(TimeSpan now) =>
        [
            .. _links.SelectMany(link =>
                Tag(link.Key, [.. link.Value.Responder.Tick(now), .. link.Value.Browser.Tick(now)])
            ),
        ];

    /// <summary>
    /// Takes in a message of a link. The caller has checked that it comes from this link (RFC 6762, section 11).
    /// </summary>
    public IReadOnlyList<(int Link, MdnsEffect Effect)> Hear(int id, DnsMessage message, IPEndPoint from, TimeSpan now)
    {
        if (message.Opcode != 0 || message.ResponseCode != 0 || !_links.TryGetValue(id, out var link))
            return [];
        var effects = Tag(id, [.. link.Responder.Hear(message, from, now), .. link.Browser.Hear(message, now)]);
        if (!effects.Any(effect => effect.Effect is MdnsEffect.Conflict))
            return effects;
        foreach (var conflict in effects.Select(effect => effect.Effect).OfType<MdnsEffect.Conflict>().ToList())
            Rename(conflict.Name);
        return [.. effects, .. _links.SelectMany(other => PublishAgain(other.Key, other.Value, now))];
    }

    /// <summary>The goodbyes on all links.</summary>
    public IReadOnlyList<(int Link, MdnsEffect Effect)> Leave() =>
        [.. _links.SelectMany(link => Tag(link.Key, link.Value.Responder.Leave()))];

    private void Rename(string name)
    {
        var lower = RecordKey.Lower(name);
        var taken = _links
            .Values.SelectMany(link => link.Wanted)
            .Where(service =>
                Named(service) is var named
                && (RecordKey.Lower(named.FullName) == lower || RecordKey.Lower(named.HostName) == lower)
            );
        foreach (var instance in taken.Select(service => service.Instance).Distinct().ToList())
            _attempts[instance] = Math.Min(_attempts.GetValueOrDefault(instance, 1) + 1, MostRenames);
    }

    private List<(int Link, MdnsEffect Effect)> PublishAgain(int id, Link link, TimeSpan now) =>
        Tag(id, link.Responder.Publish([.. link.Wanted.Select(Named)], link.Addresses, now));

    private static List<(int Link, MdnsEffect Effect)> Tag(int id, IReadOnlyList<MdnsEffect> effects) =>
        [.. effects.Select(effect => (id, effect))];
}
