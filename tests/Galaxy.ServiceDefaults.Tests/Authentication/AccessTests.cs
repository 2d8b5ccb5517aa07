using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.ServiceDefaults.Tests.Authentication;

public sealed class AccessTests
{
    [Theory]
    [InlineData(AccessRole.Client, "client", "client")]
    [InlineData(AccessRole.Worker, "worker", "worker")]
    [InlineData(AccessRole.Operator, "viewer client worker operator", "viewer client worker operator")]
    [InlineData(AccessRole.Admin, "viewer client worker operator admin", "viewer client worker operator admin")]
    [InlineData(AccessRole.Viewer, "viewer", "viewer client worker operator")]
    public void Each_role_may_do_what_it_says(AccessRole role, string may, string mayRead)
    {
        Assert.Equal(may, string.Join(' ', AccessRoles.Names.Where(name => role.May(AccessRoles.Parse(name)!.Value))));
        Assert.Equal(
            mayRead,
            string.Join(' ', AccessRoles.Names.Where(name => role.May(AccessRoles.Parse(name)!.Value, reads: true)))
        );
    }

    [Theory]
    [InlineData(AccessRole.Viewer)]
    [InlineData(AccessRole.Client)]
    [InlineData(AccessRole.Admin)]
    public void A_service_vouches_for_every_role(AccessRole role)
    {
        var time = new FakeTimeProvider();
        var node = new NodeOptions { NodeId = "n", ApiKey = "cluster" };
        using var tokens = new ServiceTokens(node, time);
        Assert.Equal(
            TokenFault.None,
            tokens.Take(tokens.Mint("anna", role, "GET", "/x"), "GET", "/x", out var name, out var taken)
        );
        Assert.Equal(("anna", role), (name, taken));
    }

    [Fact]
    public void A_given_key_is_known_by_its_secret_until_it_expires_or_is_withdrawn()
    {
        var time = new FakeTimeProvider();
        var (id, secret) = AccessKey.Create();
        var directory = new Keys
        {
            All =
            {
                [id] = new AccessKey
                {
                    Id = id,
                    Name = "anna",
                    Role = "client",
                    Hash = AccessKey.HashOf(secret),
                    Expires = time.GetUtcNow().AddMinutes(1),
                },
            },
        };
        var node = new NodeOptions { NodeId = "n", ApiKey = "cluster" };
        var callers = new CallerIdentifier(node, new ServiceTokens(node, time), time, directory);

        Assert.Equal(("anna", AccessRole.Client), (callers.Identify(secret).Name, callers.Identify(secret).Role));
        Assert.False(callers.Identify(secret[..^1] + (secret[^1] == '0' ? '1' : '0')).IsKnown);
        Assert.False(callers.Identify(AccessKey.Create().Secret).IsKnown);

        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Contains("expired", callers.Identify(secret).Refusal, StringComparison.Ordinal);
        directory.All.Clear();
        Assert.Equal("The API key is wrong.", callers.Identify(secret).Refusal);
    }

    [Fact]
    public void A_key_that_may_not_have_been_heard_of_yet_is_not_called_wrong()
    {
        var time = new FakeTimeProvider();
        var (id, secret) = AccessKey.Create();
        var directory = new Keys { IsComplete = false };
        var node = new NodeOptions { NodeId = "n", ApiKey = "cluster" };
        var callers = new CallerIdentifier(node, new ServiceTokens(node, time), time, directory);

        Assert.Equal((false, true), (callers.Identify(secret).IsKnown, callers.Identify(secret).IsUndecided));
        Assert.Equal((false, false), (callers.Identify("nobody's").IsKnown, callers.Identify("nobody's").IsUndecided));
        Assert.True(callers.Identify("cluster").IsKnown);

        directory.All[id] = new AccessKey
        {
            Id = id,
            Name = "anna",
            Role = "client",
            Hash = AccessKey.HashOf(secret),
        };
        Assert.Equal("anna", callers.Identify(secret).Name);
        Assert.False(callers.Identify(secret[..^1] + (secret[^1] == '0' ? '1' : '0')).IsUndecided);
    }

    [Fact]
    public void A_token_is_one_call_however_often_it_is_asked_for_in_it_and_a_gateway_takes_none()
    {
        var (time, node) = (TimeProvider.System, new NodeOptions { NodeId = "n", ApiKey = "cluster" });
        var tokens = new ServiceTokens(node, time);
        var callers = new CallerIdentifier(node, tokens, time);
        var request = Request(tokens.Mint("anna", AccessRole.Client, "GET", "/x"));

        Assert.Equal(("anna", true), (callers.Identify(request).Name, callers.Identify(request).IsService));
        Assert.Equal(
            "The service's token has been used.",
            callers.Identify(Request(request.Headers.Authorization.ToString()["Bearer ".Length..])).Refusal
        );
        Assert.False(
            new CallerIdentifier(node, tokens, time) { TakesTokens = false }
                .Identify(Request(tokens.Mint("anna", AccessRole.Client, "GET", "/x")))
                .IsKnown
        );
    }

    // That the comparison takes as long whatever differs cannot be measured beside the hash before it; the tests of the
    // architecture read it from the sources.
    [Theory]
    [InlineData(64)]
    [InlineData(1000)]
    public void A_key_is_another_whichever_of_its_letters_or_of_its_fingerprint_s_bytes_differs(int length)
    {
        var key = new string('k', length);
        var fingerprint = ApiKey.Fingerprint(key);
        Assert.True(ApiKey.Matches(key, fingerprint));
        for (var at = 0; at < length; at++)
            Assert.False(ApiKey.Matches(key[..at] + "x" + key[(at + 1)..], fingerprint));
        for (var at = 0; at < fingerprint.Length; at++)
        {
            var other = fingerprint.ToArray();
            other[at] ^= 1;
            Assert.False(ApiKey.Matches(key, other));
        }
        Assert.False(ApiKey.Matches(key, fingerprint.AsSpan(0, fingerprint.Length - 1)));
        Assert.False(ApiKey.Matches(key, []));
    }

    [Theory]
    [InlineData(false, 503, "1", null)]
    [InlineData(true, 401, null, "Bearer realm=\"galaxy\"")]
    public async Task Who_may_be_known_in_a_moment_is_told_when_to_ask_again_and_who_is_wrong_what_to_send(
        bool isComplete,
        int status,
        string? retryAfter,
        string? authenticate
    )
    {
        var node = new NodeOptions { NodeId = "n", ApiKey = "cluster" };
        var callers = new CallerIdentifier(
            node,
            new ServiceTokens(node, TimeProvider.System),
            TimeProvider.System,
            new Keys { IsComplete = isComplete }
        );
        var context = new DefaultHttpContext();

        await Refusals.RefuseAsync(context, callers.Identify(AccessKey.Create().Secret), AccessRole.Client);

        Assert.Equal(
            (status, retryAfter, authenticate),
            (
                context.Response.StatusCode,
                (string?)context.Response.Headers.RetryAfter,
                (string?)context.Response.Headers.WWWAuthenticate
            )
        );
    }

    private static HttpRequest Request(string token)
    {
        var request = new DefaultHttpContext().Request;
        (request.Method, request.Path, request.Headers.Authorization) = ("GET", "/x", "Bearer " + token);
        return request;
    }

    private sealed class Keys : IAccessDirectory
    {
        public Dictionary<string, AccessKey> All { get; } = [];

        public bool IsComplete { get; set; } = true;

        public AccessKey? Find(string id) => All.GetValueOrDefault(id);
    }
}
