using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Discovery.Peers;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.Discovery.Tests.Peers;

public sealed class TrustTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));

    private Trust With(string? key, string? other = null, TimeProvider? time = null) =>
        new(
            new NodeOptions
            {
                NodeId = "a",
                ApiKey = key,
                OtherApiKey = other,
            },
            time ?? _time
        );

    private static Announcement Say(string re = "") =>
        new(AnnouncementKind.Response, "b", 0)
        {
            Cluster = "galaxy",
            Metadata = new Dictionary<string, string> { ["re"] = re },
        };

    [Fact]
    public void Only_what_is_signed_with_the_key_and_new_is_trusted()
    {
        var (ours, theirs) = (With("our-key-of-today"), With("another-key"));
        var said = ours.Make(Say());

        Assert.Equal(new Verdict(PeerTrust.Open, null), With(null).Judge(Say()));
        Assert.Equal(Verdict.Distrust("unsigned"), ours.Judge(said with { Signature = "" }));
        Assert.Equal(Verdict.Distrust("wrong key"), ours.Judge(theirs.Make(Say())));
        Assert.Equal(Verdict.Distrust("wrong key"), ours.Judge(said with { Url = "http://elsewhere" }));
        Assert.Equal(new Verdict(PeerTrust.Trusted, null), ours.Judge(said));
        Assert.Equal(Verdict.Distrust("replayed"), ours.Judge(said));
    }

    [Fact]
    public void While_the_key_is_changed_the_other_one_is_believed_too()
    {
        var next = With("the-next-key");

        Assert.Equal(PeerTrust.Trusted, With("the-old-key", other: "the-next-key").Judge(next.Make(Say())).Trust);
        Assert.Equal(
            PeerTrust.Trusted,
            With("the-old-key", other: "the-next-key")
                .JudgeFields(next.SignFields(_time.GetUtcNow(), "a"), TimeSpan.FromHours(1), "a")
                .Trust
        );
        Assert.Equal(Verdict.Distrust("wrong key"), With("the-old-key").Judge(next.Make(Say())));
    }

    [Fact]
    public void A_clock_that_is_wrong_is_believed_in_an_answer_to_our_question_only()
    {
        var ours = With("our-key-of-today");
        var wrong = With("our-key-of-today", time: new FakeTimeProvider(_time.GetUtcNow() - TimeSpan.FromHours(1)));
        Assert.Equal(Verdict.Distrust("stale"), ours.Judge(wrong.Make(Say())));
        Assert.Equal(Verdict.Distrust("stale"), ours.Judge(wrong.Make(Say(re: "nobody-asked-this"))));

        ours.Asked("question");
        Assert.Equal(PeerTrust.Trusted, ours.Judge(wrong.Make(Say(re: "question"))).Trust);
        // Its clock is known now.
        Assert.Equal(PeerTrust.Trusted, ours.Judge(wrong.Make(Say())).Trust);
    }

    [Fact]
    public void A_question_is_remembered_for_ten_seconds_and_with_five_hundred_and_eleven_others()
    {
        var trust = With("our-key-of-today");
        trust.Asked("first");
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(9000, trust.RoundTrip("first"));
        Assert.Null(trust.RoundTrip(""));
        Assert.Null(trust.RoundTrip("unknown"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(trust.RoundTrip("first"));

        trust.Asked("kept");
        for (var i = 0; i < 511; i++)
            trust.Asked($"q{i}");
        Assert.NotNull(trust.RoundTrip("kept"));
        trust.Asked("one more");
        Assert.Null(trust.RoundTrip("kept"));
        Assert.NotNull(trust.RoundTrip("q0"));
    }

    [Fact]
    public void A_signature_over_fields_is_good_for_these_fields_and_for_its_time()
    {
        var trust = With("our-key-of-today");
        var life = TimeSpan.FromMinutes(75);
        var signature = trust.SignFields(_time.GetUtcNow(), "ab", "c");
        Verdict Judge(string text, params string[] fields) => trust.JudgeFields(text, life, fields);

        Assert.Equal(PeerTrust.Trusted, Judge(signature, "ab", "c").Trust);
        Assert.Equal("wrong key", Judge(signature, "a", "bc").Reason);
        Assert.Equal("wrong key", Judge(signature, "ab", "c", "").Reason);
        Assert.Equal("wrong key", Judge("9" + signature, "ab", "c").Reason);
        Assert.Equal("wrong key", Judge("no dot", "ab", "c").Reason);
        Assert.Equal("wrong key", Judge("-1." + signature, "ab", "c").Reason);
        Assert.Equal("unsigned", Judge("", "ab", "c").Reason);

        _time.Advance(life + TimeSpan.FromSeconds(60));
        Assert.Equal(PeerTrust.Trusted, Judge(signature, "ab", "c").Trust);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("stale", Judge(signature, "ab", "c").Reason);
    }
}
