using System.Net;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Mdns;

namespace Galaxy.Core.Tests.Discovery;

/// <summary>Hosts on a link in memory: what one sends to the group all others hear, at once.</summary>
public class MdnsHostTests
{
    private readonly List<Station> _link = [];
    private TimeSpan _now;

    private sealed class Station(int number, int seed)
    {
        public MdnsHost Host { get; } = new(new Random(seed));
        public IPAddress Address { get; } = new([10, 0, 0, (byte)number]);
        public Dictionary<string, MdnsInstance> Found { get; } = new(StringComparer.OrdinalIgnoreCase);
        public List<DnsMessage> Sent { get; } = [];
        public bool Cut { get; set; }
    }

    private Station Add(string? node)
    {
        var station = new Station(_link.Count + 1, _link.Count + 7);
        _link.Add(station);
        Do(station, station.Host.Publish(1, node is null ? [] : [Service(node, _link.Count)], [station.Address], _now));
        return station;
    }

    private static MdnsService Service(string node, int number) =>
        new(node, "galaxy-" + node, 8071, [new("node_id", node), new("cluster", $"c{number}")]);

    private void Do(Station from, IReadOnlyList<(int Link, MdnsEffect Effect)> effects)
    {
        foreach (var (_, effect) in effects)
        {
            if (effect is MdnsEffect.Found found)
                from.Found[found.Instance.FullName] = found.Instance;
            else if (effect is MdnsEffect.Gone gone)
                from.Found.Remove(gone.FullName);
            else if (effect is MdnsEffect.Send send && !from.Cut)
            {
                Assert.True(DnsReader.TryParse(send.Packet, out var message));
                from.Sent.Add(message);
                foreach (var other in _link.Where(other => other != from && !other.Cut).ToList())
                    Do(other, other.Host.Hear(1, message, new IPEndPoint(from.Address, 5353), _now));
            }
        }
    }

    private void Run(double seconds)
    {
        var until = _now + TimeSpan.FromSeconds(seconds);
        while (_now < until)
        {
            _now += TimeSpan.FromMilliseconds(10);
            foreach (var station in _link.ToList())
            {
                if (station.Host.NextTick <= _now)
                    Do(station, station.Host.Tick(_now));
            }
        }
    }

    [Fact]
    public void Two_hosts_find_each_other_within_a_second()
    {
        var (a, b) = (Add("a"), Add("b"));

        Run(1);

        Assert.Equal("b", Assert.Single(a.Found.Values).Txt["node_id"]);
        Assert.Equal("a", Assert.Single(b.Found.Values).Txt["node_id"]);
        Assert.Equal(b.Address, Assert.Single(a.Found.Values.Single().Addresses));
    }

    [Fact]
    public void A_name_is_probed_for_three_times_before_it_is_announced()
    {
        var a = Add("a");

        Run(2);

        var first = a.Sent.FindIndex(message => message.IsResponse);
        Assert.Equal(3, a.Sent.Take(first).Count(message => message.Authorities.Count > 0));
        Assert.DoesNotContain(a.Sent.Skip(first), message => message.Authorities.Count > 0);
    }

    [Fact]
    public void Of_two_hosts_that_want_one_name_exactly_one_takes_another()
    {
        var (a, b) = (Add("pc"), Add("pc"));

        Run(10);

        string[] names = [a.Host.Named(Service("pc", 1)).Instance, b.Host.Named(Service("pc", 2)).Instance];
        Assert.Equal(["pc", "pc (2)"], names.Order(StringComparer.Ordinal));
        Assert.Single(a.Found);
        Assert.Single(b.Found);
    }

    [Fact]
    public void A_newcomer_takes_another_name_than_the_one_that_is_in_use()
    {
        var a = Add("pc");
        Run(5);
        var b = Add("pc");

        Run(5);

        Assert.Equal("pc", a.Host.Named(Service("pc", 1)).Instance);
        Assert.Equal("pc (2)", b.Host.Named(Service("pc", 2)).Instance);
    }

    [Fact]
    public void A_goodbye_is_heard_at_once()
    {
        var (a, b) = (Add("a"), Add("b"));
        Run(3);

        Do(b, b.Host.Leave());

        Assert.Empty(a.Found);
    }

    [Theory]
    [InlineData(DnsType.Ptr)]
    [InlineData(DnsType.Srv)]
    public void A_goodbye_of_the_pointer_or_of_the_service_alone_is_heard_at_once(DnsType alone)
    {
        var (a, b, c) = (Add("a"), Add("b"), Add("c"));
        Run(3);
        Assert.Equal(2, a.Found.Count);
        var goodbye = new DnsMessage
        {
            IsResponse = true,
            Answers =
            [
                .. Service("b", 2)
                    .Records([b.Address])
                    .Where(record => record.Type == alone)
                    .Select(record => record with { Ttl = 0 }),
            ],
        };

        Do(a, a.Host.Hear(1, goodbye, new IPEndPoint(b.Address, 5353), _now));

        Assert.Equal("c", Assert.Single(a.Found.Values).Txt["node_id"]);
        // Who has not heard it knows no better.
        Assert.Equal(2, c.Found.Count);
    }

    [Fact]
    public void A_host_that_vanished_is_gone_after_a_minute_and_a_living_one_is_not()
    {
        var (a, b, c) = (Add("a"), Add("b"), Add("c"));
        Run(3);
        b.Cut = true;

        Run(61);

        Assert.Equal("c", Assert.Single(a.Found.Values).Txt["node_id"]);
        Run(300);
        Assert.Equal("a", Assert.Single(c.Found.Values).Txt["node_id"]);
    }

    [Fact]
    public void Known_answers_are_not_told_again()
    {
        var (a, _) = (Add("a"), Add("b"));
        Run(20);
        var before = a.Sent.Count;

        Run(25);

        // Only questions, and refreshing of what names the host.
        Assert.DoesNotContain(a.Sent.Skip(before), message =>
            message.IsResponse && message.Answers.Any(record => record.Type == DnsType.Ptr)
        );
    }

    [Fact]
    public void A_false_goodbye_is_contradicted_but_not_more_often_than_once_a_second()
    {
        var a = Add("a");
        Run(10);
        a.Sent.Clear();
        var goodbye = new DnsMessage
        {
            IsResponse = true,
            Answers = [.. Service("a", 1).Records([a.Address]).Select(record => record with { Ttl = 0 })],
        };

        for (var i = 0; i < 100; i++)
        {
            Do(a, a.Host.Hear(1, goodbye, new IPEndPoint(IPAddress.Parse("10.0.0.9"), 5353), _now));
            Run(0.02);
        }

        Assert.InRange(a.Sent.Count(message => message.IsResponse), 1, 3);
    }

    [Fact]
    public void A_plain_resolver_gets_a_plain_answer()
    {
        var a = Add("a");
        Run(3);
        var asker = new IPEndPoint(IPAddress.Parse("10.0.0.9"), 40000);

        var effects = a.Host.Hear(
            1,
            new DnsMessage { Id = 77, Questions = [new DnsQuestion(ServiceTxt.ServiceType, DnsType.Ptr)] },
            asker,
            _now
        );

        var send = Assert.IsType<MdnsEffect.Send>(Assert.Single(effects).Effect);
        Assert.Equal(asker, send.To);
        Assert.True(DnsReader.TryParse(send.Packet, out var answer));
        Assert.Equal(77, answer.Id);
        Assert.Single(answer.Questions);
        Assert.All(answer.AllRecords, record => Assert.True(record is { CacheFlush: false, Ttl: <= 10 }));
    }

    [Fact]
    public void That_a_name_has_no_such_record_is_said()
    {
        var a = Add("a");
        Run(3);
        a.Sent.Clear();

        Do(
            a,
            a.Host.Hear(
                1,
                new DnsMessage { Questions = [new DnsQuestion("galaxy-a.local.", DnsType.Aaaa)] },
                new IPEndPoint(IPAddress.Parse("10.0.0.9"), 5353),
                _now
            )
        );
        Run(2);

        Assert.Contains(a.Sent, message => message.Answers.Any(record => record.Type == DnsType.Nsec));
    }

    [Fact]
    public void Who_says_the_same_a_hundred_thousand_times_fills_no_memory()
    {
        var cache = new RecordCache(capacity: 16);
        var record = new DnsRecord("x." + ServiceTxt.ServiceType, DnsType.Srv, 4500, new DnsSrv(0, 0, 1, "h.local."));

        for (var i = 0; i < 100_000; i++)
            cache.Add(record, RecordKey.Of(record), TimeSpan.FromMilliseconds(i), jitter: 0);

        Assert.Equal(1, cache.Count);
        Assert.InRange(cache.Turns, 1, 2000);
    }

    [Fact]
    public void A_name_that_could_not_be_asked_for_again_is_not_read()
    {
        var bytes = DnsWriter.Write(
            new DnsMessage
            {
                IsResponse = true,
                Answers =
                [
                    new DnsRecord(
                        $"{new string('x', 63)}.{ServiceTxt.ServiceType}",
                        DnsType.Srv,
                        60,
                        new DnsSrv(0, 0, 1, "h.local.")
                    ),
                ],
            }
        );
        bytes.AsSpan(13, 63).Fill(0xFF);

        Assert.False(DnsReader.TryParse(bytes, out _));
    }
}
