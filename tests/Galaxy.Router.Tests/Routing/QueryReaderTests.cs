using Galaxy.Core.Routing;
using Galaxy.Router.Routing;
using Microsoft.AspNetCore.Http;

namespace Galaxy.Router.Tests.Routing;

public sealed class QueryReaderTests
{
    private static string? Read(string query, out RouteQuery read, string capability = "echo", string? caller = null)
    {
        var context = new DefaultHttpContext();
        context.Request.QueryString = new QueryString(query);
        if (caller is not null)
            context.Request.Headers[QueryReader.CallerHeader] = caller;
        return QueryReader.Read(capability, context.Request, out read);
    }

    [Theory]
    [InlineData("?strategy=fastest", "'strategy' is 'fastest'; allowed are ")]
    [InlineData("?key=a&key=b", "'key' is given more than once")]
    [InlineData("?labels==true", "'labels' is wrong")]
    public void What_cannot_be_read_is_named(string query, string complaint) =>
        Assert.StartsWith(complaint, Read(query, out _), StringComparison.Ordinal);

    [Fact]
    public void A_text_may_be_256_characters_long_and_a_capability_128()
    {
        Assert.Null(Read("?key=" + new string('k', 256), out _));
        Assert.Equal("'key' is too long.", Read("?key=" + new string('k', 257), out _));
        Assert.Null(Read("", out _, new string('c', 128)));
        Assert.NotNull(Read("", out _, new string('c', 129)));
        Assert.Null(Read("", out _, caller: new string('c', 256)));
        Assert.NotNull(Read("", out _, caller: new string('c', 257)));
    }

    [Fact]
    public void Thirty_two_may_be_excluded_and_empty_names_are_none()
    {
        static string Names(int count) => string.Join(',', Enumerable.Range(0, count).Select(i => $"node-{i}"));

        Assert.Null(Read($"?exclude={Names(32)},, ,", out var query));
        Assert.Equal(32, query.Exclude?.Length);
        Assert.Equal("'exclude' may name at most 32.", Read("?exclude=" + Names(33), out _));
    }

    [Fact]
    public void What_is_empty_is_not_given_and_what_is_not_ours_may_be_anything()
    {
        Assert.Null(Read($"?strategy=&labels=&key=&x={new string('x', 5000)}&x=2", out var query));
        Assert.Equal(new RouteQuery("echo"), query);
    }

    [Theory]
    [InlineData("1", true, null)]
    [InlineData("FALSE", false, null)]
    [InlineData("", null, null)]
    [InlineData("yes", null, "'explain' is 'yes'; allowed are true and false.")]
    public void A_switch_is_on_off_or_not_given(string text, bool? flag, string? complaint)
    {
        var given = new DefaultHttpContext { Request = { QueryString = new QueryString("?explain=" + text) } };

        Assert.Equal(complaint, QueryReader.ReadFlag(given.Request.Query, "explain", out var read));
        Assert.Equal(flag, read);
    }
}
