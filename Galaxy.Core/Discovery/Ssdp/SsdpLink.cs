using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Galaxy.Core.Discovery.Ssdp;

/// <summary>
/// SSDP on one link and address family (UPnP Device Architecture 1.1, section 1): notifies of the devices of this host,
/// answers searches, searches itself. Reads no clock and has no socket. Not thread-safe.
/// </summary>
/// <param name="address">Of this host on the link: descriptions are there.</param>
/// <param name="port">Of the HTTP server with the descriptions.</param>
/// <param name="bootId">Grows whenever this host joins the network anew.</param>
public sealed class SsdpLink(IPAddress address, int port, long bootId, string server, Random random)
{
    /// <summary>
    /// Seconds that a notification holds; the architecture wants at least half an hour. Nodes of Galaxy are told of far
    /// more often.
    /// </summary>
    public const int MaxAge = 1800;

    /// <summary>An answer has at most this many times the bytes of the question: no use as an amplifier.</summary>
    public const int MaxAmplification = 3;

    private const int MostPending = 64;
    private const int LongestDelay = 5;
    private static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan AliveEvery = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan FirstSearches = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SearchEvery = TimeSpan.FromSeconds(60);

    private readonly List<(TimeSpan Due, byte[] Packet, IPEndPoint To)> _answers = [];
    private IReadOnlyList<SsdpDevice> _devices = [];
    private TimeSpan _nextAlive = TimeSpan.MaxValue;
    private TimeSpan _nextSearch;
    private int _bursts;
    private int _quickSearches;
    private int _turn;

    private string Group =>
        address.AddressFamily == AddressFamily.InterNetwork ? "239.255.255.250:1900" : "[FF02::C]:1900";

    /// <summary>When <see cref="Tick"/> is wanted next.</summary>
    public TimeSpan NextTick
    {
        get
        {
            var next = _nextAlive < _nextSearch ? _nextAlive : _nextSearch;
            foreach (var answer in _answers)
                next = answer.Due < next ? answer.Due : next;
            return next;
        }
    }

    /// <summary>Notifies of exactly these devices from now on, with goodbyes for the others.</summary>
    public IReadOnlyList<SsdpEffect> Publish(IReadOnlyList<SsdpDevice> devices, TimeSpan now)
    {
        var gone = _devices
            .Where(old => devices.All(device => device.Uuid != old.Uuid))
            .SelectMany(old => Notify(old, "ssdp:byebye"))
            .ToList();
        if (devices.Except(_devices).Any())
            (_bursts, _nextAlive) = (3, now + (Burst * random.NextDouble() / 3));
        _devices = devices;
        if (devices.Count == 0)
            _nextAlive = TimeSpan.MaxValue;
        return gone;
    }

    /// <summary>The goodbyes of all devices.</summary>
    public IReadOnlyList<SsdpEffect> Leave() => Publish([], TimeSpan.Zero);

    /// <summary>Searches now, and twice again soon: one packet may be lost.</summary>
    public void Search(TimeSpan now) => (_quickSearches, _nextSearch) = (3, now);

    /// <summary>Does what is due.</summary>
    public IReadOnlyList<SsdpEffect> Tick(TimeSpan now)
    {
        var effects = new List<SsdpEffect>();
        if (now >= _nextSearch)
        {
            effects.Add(
                new SsdpEffect.Send(
                    SsdpMessage
                        .Create(
                            SsdpMessage.SearchLine,
                            ("HOST", Group),
                            ("MAN", "\"ssdp:discover\""),
                            ("MX", "1"),
                            ("ST", SsdpDevice.Type),
                            ("USER-AGENT", server)
                        )
                        .ToBytes(),
                    null,
                    Search: true
                )
            );
            _nextSearch = now + (--_quickSearches > 0 ? FirstSearches : SearchEvery);
        }
        if (now >= _nextAlive)
        {
            effects.AddRange(_devices.SelectMany(device => Notify(device, "ssdp:alive")));
            _nextAlive =
                now
                + (
                    --_bursts > 0 ? Burst * (1 + random.NextDouble()) : AliveEvery * (0.8 + (0.2 * random.NextDouble()))
                );
        }
        foreach (var answer in _answers.Where(answer => answer.Due <= now).ToList())
        {
            _answers.Remove(answer);
            effects.Add(new SsdpEffect.Send(answer.Packet, answer.To));
        }
        return effects;
    }

    /// <summary>Takes in a message.</summary>
    /// <param name="bytes">How large it was on the wire.</param>
    /// <param name="onLink">The sender's address belongs to this link.</param>
    /// <param name="toGroup">It was sent to the group, not to this host alone.</param>
    public IReadOnlyList<SsdpEffect> Hear(
        SsdpMessage message,
        int bytes,
        IPEndPoint from,
        bool onLink,
        bool toGroup,
        TimeSpan now
    )
    {
        // Answering strangers would make this an amplifier; believing them, a way in.
        if (!onLink)
            return [new SsdpEffect.Refused("not from this subnet")];
        return message.IsSearch ? HearSearch(message, bytes, from, toGroup, now) : HearOfDevice(message, from);
    }

    private IReadOnlyList<SsdpEffect> HearSearch(
        SsdpMessage search,
        int bytes,
        IPEndPoint from,
        bool toGroup,
        TimeSpan now
    )
    {
        if (search["MAN"]?.Trim('"') != "ssdp:discover" || search["ST"] is not { Length: > 0 } asked)
            return [new SsdpEffect.Refused("not a search")];
        var mx =
            int.TryParse(search["MX"], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0
                ? Math.Min(seconds, LongestDelay)
                : 0;
        if (toGroup && mx == 0)
            return [new SsdpEffect.Refused("search without MX")];
        var budget = bytes * MaxAmplification;
        // Several devices on one host take turns at what one question pays for; the notifications name them all.
        for (var i = 0; i < _devices.Count; i++)
        {
            var device = _devices[(_turn + i) % _devices.Count];
            var target =
                asked == SsdpDevice.All
                    ? SsdpDevice.RootDevice
                    : device.Targets.FirstOrDefault(target => target == asked);
            if (target is null)
                continue;
            var answer = Answer(device, target).ToBytes();
            if (answer.Length > budget)
                return [new SsdpEffect.Refused("question too small")];
            if (_answers.Count >= MostPending)
                return [new SsdpEffect.Refused("too many searches")];
            budget -= answer.Length;
            _answers.Add((now + (TimeSpan.FromSeconds(mx) * 0.9 * random.NextDouble()), answer, from));
            if (budget < answer.Length)
                break;
        }
        _turn++;
        return [];
    }

    private static IReadOnlyList<SsdpEffect> HearOfDevice(SsdpMessage message, IPEndPoint from)
    {
        if (SsdpDevice.ReadUsn(message["USN"]) is not { } uuid)
            return [];
        if (message["NTS"] == "ssdp:byebye")
            return [new SsdpEffect.Gone(uuid, from)];
        if (message.IsNotify && message["NTS"] is not ("ssdp:alive" or "ssdp:update"))
            return [new SsdpEffect.Refused("unknown notification")];
        if (
            !Uri.TryCreate(message["LOCATION"], UriKind.Absolute, out var location)
            || location.Scheme != "http"
            || location.OriginalString.Length > 512
        )
            return [new SsdpEffect.Refused("no location")];
        return
        [
            new SsdpEffect.Found(uuid, location, $"{message["BOOTID.UPNP.ORG"]}/{message["CONFIGID.UPNP.ORG"]}", from),
        ];
    }

    private SsdpMessage Answer(SsdpDevice device, string target) =>
        SsdpMessage.Create(
            SsdpMessage.OkLine,
            ("CACHE-CONTROL", $"max-age={MaxAge}"),
            ("EXT", ""),
            ("LOCATION", Location(device)),
            ("SERVER", server),
            ("ST", target),
            ("USN", device.Usn(target)),
            // CONFIGID is optional in an answer, and a short question has no bytes for it.
            ("BOOTID.UPNP.ORG", bootId.ToString(CultureInfo.InvariantCulture))
        );

    private IEnumerable<SsdpEffect> Notify(SsdpDevice device, string kind)
    {
        foreach (var target in device.Targets)
        {
            List<(string, string)> headers = [("HOST", Group)];
            if (kind == "ssdp:alive")
                headers.AddRange([
                    ("CACHE-CONTROL", $"max-age={MaxAge}"),
                    ("LOCATION", Location(device)),
                    ("SERVER", server),
                ]);
            headers.AddRange([
                ("NT", target),
                ("NTS", kind),
                ("USN", device.Usn(target)),
                ("BOOTID.UPNP.ORG", bootId.ToString(CultureInfo.InvariantCulture)),
                ("CONFIGID.UPNP.ORG", device.ConfigId.ToString(CultureInfo.InvariantCulture)),
            ]);
            yield return new SsdpEffect.Send(SsdpMessage.Create(SsdpMessage.NotifyLine, [.. headers]).ToBytes(), null);
        }
    }

    private string Location(SsdpDevice device) =>
        address.AddressFamily == AddressFamily.InterNetworkV6
            ? $"http://[{new IPAddress(address.GetAddressBytes())}]:{port}{device.Path}"
            : $"http://{address}:{port}{device.Path}";
}
