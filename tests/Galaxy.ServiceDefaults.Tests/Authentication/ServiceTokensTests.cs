using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.ServiceDefaults.Tests.Authentication;

public sealed class ServiceTokensTests
{
    private readonly FakeTimeProvider _time = new(
        DateTimeOffset.Parse("2026-11-26T00:00:00Z", System.Globalization.CultureInfo.InvariantCulture)
    );
    private readonly ServiceTokens _sender;
    private readonly ServiceTokens _receiver;

    public ServiceTokensTests() => (_sender, _receiver) = (Tokens("the-key"), Tokens("the-key"));

    private ServiceTokens Tokens(string key) => new(new NodeOptions { NodeId = "n", ApiKey = key }, _time);

    private TokenFault Take(string token, string method = "GET", string path = "/x") =>
        _receiver.Take(token, method, path, out _, out _);

    [Fact]
    public void A_token_names_somebody_and_his_role_for_one_call()
    {
        var token = _sender.Mint("anna", AccessRole.Operator, "POST", "/api/v1/tasks");

        Assert.Equal(TokenFault.None, _receiver.Take(token, "POST", "/api/v1/tasks", out var name, out var role));
        Assert.Equal(("anna", AccessRole.Operator), (name, role));
    }

    [Fact]
    public void It_is_taken_once() =>
        Assert.Equal(
            (TokenFault.None, TokenFault.Replayed),
            (Take(_sender.Mint("a", AccessRole.Admin, "GET", "/x") is var token ? token : ""), Take(token))
        );

    [Theory]
    [InlineData("POST", "/x")]
    [InlineData("GET", "/y")]
    [InlineData("GET", "/X")]
    [InlineData("GET", "/x/")]
    public void It_is_for_no_other_call(string method, string path) =>
        Assert.Equal(TokenFault.Forged, Take(_sender.Mint("a", AccessRole.Admin, "GET", "/x"), method, path));

    [Theory]
    [InlineData(299, TokenFault.None)]
    [InlineData(301, TokenFault.Expired)]
    [InlineData(-299, TokenFault.None)]
    [InlineData(-301, TokenFault.Expired)]
    public void It_runs_out_and_comes_from_no_distant_future(int seconds, TokenFault expected)
    {
        var late = new FakeTimeProvider(_time.GetUtcNow().AddSeconds(seconds));
        var receiver = new ServiceTokens(new NodeOptions { NodeId = "n", ApiKey = "the-key" }, late);

        Assert.Equal(
            expected,
            receiver.Take(_sender.Mint("a", AccessRole.Admin, "GET", "/x"), "GET", "/x", out _, out _)
        );
    }

    [Fact]
    public void One_made_with_another_key_is_forged() =>
        Assert.Equal(TokenFault.Forged, Take(Tokens("another").Mint("a", AccessRole.Admin, "GET", "/x")));

    [Fact]
    public void No_letter_of_it_can_be_changed()
    {
        var token = _sender.Mint("anna", AccessRole.Client, "GET", "/x");
        for (var i = ServiceTokens.Prefix.Length; i < token.Length; i++)
        {
            var changed = token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..];
            // The last letter of a Base64url group carries bits that mean nothing; the decoder refuses those that are
            // set.
            Assert.NotEqual(TokenFault.None, Take(changed));
        }
        Assert.Equal(TokenFault.None, Take(token));
    }

    [Theory]
    [InlineData("gxs.")]
    [InlineData("gxs..")]
    [InlineData("gxs.AAAA.AAAA")]
    [InlineData("gxs.!!!!.????")]
    [InlineData("gxs.äöü.€")]
    public void Rubbish_is_forged(string token) => Assert.Equal(TokenFault.Forged, Take(token));

    [Fact]
    public void Long_paths_and_names_do_not_break_it()
    {
        var path = "/" + new string('ö', 5000);
        Assert.Equal(
            TokenFault.None,
            _receiver.Take(
                _sender.Mint(new string('n', 100), AccessRole.Admin, "GET", path),
                "GET",
                path,
                out var name,
                out _
            )
        );
        Assert.Equal(100, name.Length);
    }

    [Fact]
    public void Tokens_may_arrive_in_any_order_within_the_window_each_once()
    {
        var tokens = Enumerable.Range(0, 1000).Select(_ => _sender.Mint("a", AccessRole.Admin, "GET", "/x")).ToArray();
        new Random(7).Shuffle(tokens);

        Assert.All(tokens, token => Assert.Equal(TokenFault.None, Take(token)));
        Assert.All(tokens, token => Assert.Equal(TokenFault.Replayed, Take(token)));
    }

    [Fact]
    public void Of_two_who_show_the_same_token_at_once_one_is_let_in()
    {
        for (var round = 0; round < 200; round++)
        {
            var token = _sender.Mint("a", AccessRole.Admin, "GET", "/x");
            var let = 0;
            Parallel.For(0, 4, _ => Interlocked.Add(ref let, Take(token) == TokenFault.None ? 1 : 0));
            Assert.Equal(1, let);
        }
    }
}

public sealed class ReplayWindowTests
{
    [Fact]
    public void What_is_older_than_the_window_is_refused_and_jumps_forget_nothing_new()
    {
        var window = new ReplayWindow();
        Assert.True(window.TryTake(1));
        Assert.True(window.TryTake(ReplayWindow.Length + 1UL));
        Assert.False(window.TryTake(1));
        Assert.True(window.TryTake(2));
        Assert.False(window.TryTake(2));
        Assert.True(window.TryTake(10UL * ReplayWindow.Length));
        Assert.False(window.TryTake(ReplayWindow.Length + 1UL));
        Assert.True(window.TryTake((10UL * ReplayWindow.Length) - 1));
        Assert.False(window.TryTake(10UL * ReplayWindow.Length));
    }

    [Fact]
    public void It_agrees_with_a_set_of_all_that_came()
    {
        var (window, seen, random, highest) = (new ReplayWindow(), new HashSet<ulong>(), new Random(11), 0UL);
        for (var i = 0; i < 300_000; i++)
        {
            var next =
                random.Next(10) == 0 ? highest + (ulong)random.Next(1, 5000)
                : highest > 100_000 ? highest - (ulong)random.Next(0, 90_000)
                : (ulong)random.Next(1, 100_000);
            var expected = next > highest || (highest - next < ReplayWindow.Length && !seen.Contains(next));
            Assert.Equal(expected, window.TryTake(next));
            seen.Add(next);
            highest = Math.Max(highest, next);
        }
    }
}
