using System.Net;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Core.Discovery.Trust;

namespace Galaxy.Core.Tests.Discovery;

public class TrustTests
{
    private const double Now = 1_700_000_000;
    private readonly ReplayGuard _guard = new();
    private readonly PeerBook _book = new();

    private IReadOnlyList<PeerEvent> See(string node, PeerTrust trust, double seconds = 0, string road = "udp") =>
        _book.See(
            new Sighting(road, node, "galaxy", trust, trust == PeerTrust.Untrusted ? "unsigned" : null)
            {
                Url = "http://" + node,
            },
            TimeSpan.FromSeconds(seconds),
            DateTimeOffset.UnixEpoch
        );

    [Fact]
    public void What_was_heard_before_is_a_replay()
    {
        Assert.Null(_guard.Refuse("a", "n1", Now, Now, answersUs: false));
        Assert.Equal("replayed", _guard.Refuse("a", "n1", Now, Now + 1, answersUs: false));
        Assert.Null(_guard.Refuse("b", "n1", Now, Now, answersUs: false));
    }

    [Fact]
    public void What_is_older_than_a_minute_is_stale() =>
        Assert.Equal("stale", _guard.Refuse("a", "n1", Now - 61, Now, answersUs: false));

    [Fact]
    public void A_wrong_clock_is_allowed_for_once_it_was_measured()
    {
        Assert.Equal("stale", _guard.Refuse("a", "n1", Now + 3600, Now, answersUs: false));
        Assert.Null(_guard.Refuse("a", "n2", Now + 3600, Now, answersUs: true));
        Assert.Equal(3600, _guard.SkewOf("a"));
        Assert.Null(_guard.Refuse("a", "n3", Now + 3605, Now + 5, answersUs: false));
        Assert.Equal("stale", _guard.Refuse("a", "n4", Now + 5, Now + 5, answersUs: false));
    }

    [Fact]
    public void Senders_are_bounded()
    {
        for (var i = 0; i < ReplayGuard.MostNodes + 100; i++)
            _guard.Refuse($"node-{i}", "n", Now + i, Now + i, answersUs: false);

        Assert.Equal(ReplayGuard.MostNodes, _guard.Count);
    }

    [Fact]
    public void A_flood_is_cut_off_and_others_are_heard()
    {
        var limiter = new SourceLimiter(perSource: 100, burst: 200, total: 2000);
        var passed = Enumerable
            .Range(0, 10_000)
            .Count(i => limiter.Refuse(IPAddress.Parse("10.0.0.1"), TimeSpan.FromMilliseconds(i / 10.0)) is null);

        Assert.InRange(passed, 200, 301);
        Assert.Null(limiter.Refuse(IPAddress.Parse("10.0.0.2"), TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Sources_are_bounded()
    {
        var limiter = new SourceLimiter();
        for (var i = 0; i < SourceLimiter.MostSources * 2; i++)
            limiter.Refuse(new IPAddress(i + 1L), TimeSpan.FromSeconds(i));

        Assert.Equal(SourceLimiter.MostSources, limiter.Count);
    }

    [Fact]
    public void Who_is_not_trusted_never_speaks_for_who_is()
    {
        See("a", PeerTrust.Trusted);

        Assert.Empty(See("a", PeerTrust.Untrusted, 1));
        Assert.Equal(PeerTrust.Trusted, Assert.Single(_book.All).Trust);
    }

    [Fact]
    public void Strangers_do_not_crowd_out_the_trusted()
    {
        for (var i = 0; i < 5000; i++)
            See($"stranger-{i}", PeerTrust.Untrusted);
        for (var i = 0; i < PeerBook.MostPeers; i++)
            See($"node-{i}", PeerTrust.Trusted);

        Assert.Equal(PeerBook.MostPeers, _book.Count);
        Assert.All(_book.All, peer => Assert.Equal(PeerTrust.Trusted, peer.Trust));
    }

    [Fact]
    public void A_silent_node_is_lost_after_a_minute_on_every_road()
    {
        See("a", PeerTrust.Trusted);
        See("a", PeerTrust.Trusted, 30, "mdns");

        Assert.Equal(PeerChange.Updated, Assert.Single(_book.Tick(TimeSpan.FromSeconds(61))).Change);
        Assert.Equal(PeerChange.Lost, Assert.Single(_book.Tick(TimeSpan.FromSeconds(91))).Change);
    }

    [Fact]
    public void A_goodbye_that_anybody_could_send_counts_on_its_own_road_only()
    {
        See("a", PeerTrust.Trusted);
        See("a", PeerTrust.Trusted, 0, "mdns");

        Assert.Equal(PeerChange.Updated, Assert.Single(_book.Goodbye("galaxy", "a", "mdns", signed: false)).Change);
        Assert.Equal(PeerChange.Lost, Assert.Single(_book.Goodbye("galaxy", "a", "udp", signed: true)).Change);
    }

    [Fact]
    public void What_a_dead_node_left_behind_does_not_bring_it_back_and_its_next_word_does()
    {
        See("a", PeerTrust.Trusted, 0, "registry");
        Assert.Equal(PeerChange.Lost, Assert.Single(_book.PeersSayGone("galaxy", "a")).Change);

        var left = new Sighting("registry", "a", "galaxy", PeerTrust.Trusted, null);
        Assert.Empty(_book.See(left with { IsOld = true }, TimeSpan.FromSeconds(3), DateTimeOffset.UnixEpoch));
        Assert.Equal(
            PeerChange.Found,
            Assert.Single(_book.See(left, TimeSpan.FromSeconds(6), DateTimeOffset.UnixEpoch)).Change
        );
    }

    [Fact]
    public void What_a_dead_node_left_behind_does_not_make_another_of_its_name_trusted()
    {
        See("a", PeerTrust.Untrusted);

        var left = new Sighting("registry", "a", "galaxy", PeerTrust.Trusted, null);
        _book.See(left with { IsOld = true }, TimeSpan.FromSeconds(1), DateTimeOffset.UnixEpoch);
        Assert.True(_book.Has("galaxy", "a", PeerTrust.Untrusted));
        _book.See(left, TimeSpan.FromSeconds(2), DateTimeOffset.UnixEpoch);
        Assert.True(_book.Has("galaxy", "a", PeerTrust.Trusted));
    }
}
