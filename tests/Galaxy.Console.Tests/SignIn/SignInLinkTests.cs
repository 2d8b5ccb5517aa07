using Galaxy.Console.SignIn;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.Console.Tests.SignIn;

public sealed class SignInLinkTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("galaxy-links-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 26, 10, 0, 0, TimeSpan.Zero));

    private UsedLinks Links(string? key = "gx-key") =>
        new(
            new NodeOptions
            {
                NodeId = "console",
                ApiKey = key,
                DataFolder = _folder,
            },
            _time,
            NullLogger<UsedLinks>.Instance
        );

    [Fact]
    public void A_link_is_good_once_also_after_a_restart()
    {
        var link = SignInLink.Mint("gx-key", _time.GetUtcNow());
        var links = Links();
        Assert.True(links.TryUse(link));
        Assert.False(links.TryUse(link));
        Assert.False(Links().TryUse(link));
        Assert.True(Links().TryUse(SignInLink.Mint("gx-key", _time.GetUtcNow())));
    }

    [Fact]
    public void Of_many_who_show_the_same_link_at_once_one_gets_in()
    {
        var link = SignInLink.Mint("gx-key", _time.GetUtcNow());
        var links = Links();
        Assert.Equal(
            1,
            Enumerable.Range(0, 64).AsParallel().WithDegreeOfParallelism(16).Count(_ => links.TryUse(link))
        );
    }

    [Fact]
    public void Old_forged_and_foreign_links_are_of_no_use()
    {
        var link = SignInLink.Mint("gx-key", _time.GetUtcNow());
        Assert.False(Links().TryUse(SignInLink.Mint("another key", _time.GetUtcNow())));
        Assert.False(Links(key: null).TryUse(link));
        for (var i = SignInLink.Prefix.Length; i < link.Length; i += 3)
            Assert.False(Links().TryUse(link[..i] + (link[i] == 'A' ? 'B' : 'A') + link[(i + 1)..]), $"changed at {i}");
        foreach (var odd in new[] { null, "", "gxl.", "gxl.a.b", "gxl..", link + ".x", new string('x', 10_000) })
            Assert.False(Links().TryUse(odd));
        _time.Advance(SignInLink.Lifetime);
        Assert.False(Links().TryUse(link));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
