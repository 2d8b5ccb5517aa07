using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.ServiceDefaults.Tests.Authentication;

/// <summary>The cluster's key is changed in three steps; between any two of them each understands the other.</summary>
public class KeyChangeTests
{
    private const string Old = "gx-the-old-key-of-the-cluster",
        New = "gx-the-new-key-of-the-cluster";

    // Before, 1, 2, 3: what a machine is told.
    private static readonly NodeOptions[] Steps =
    [
        new() { NodeId = "n", ApiKey = Old },
        new()
        {
            NodeId = "n",
            ApiKey = Old,
            OtherApiKey = New,
        },
        new()
        {
            NodeId = "n",
            ApiKey = New,
            OtherApiKey = Old,
        },
        new() { NodeId = "n", ApiKey = New },
    ];

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 3)]
    public void Machines_of_neighbouring_steps_take_each_others_tokens_and_keys(int one, int other)
    {
        foreach (var (from, to) in new[] { (one, other), (other, one), (one, one), (other, other) })
        {
            var time = new FakeTimeProvider();
            using var sender = new ServiceTokens(Steps[from], time);
            using var receiver = new ServiceTokens(Steps[to], time);
            Assert.Equal(
                TokenFault.None,
                receiver.Take(sender.Mint("n", AccessRole.Admin, "GET", "/x"), "GET", "/x", out _, out var role)
            );
            Assert.Equal(AccessRole.Admin, role);
            Assert.Null(new CallerIdentifier(Steps[to], receiver, time).Identify(Steps[from].ApiKey!).Refusal);
        }
    }

    [Fact]
    public void Before_it_begins_and_when_it_is_over_the_other_key_is_wrong()
    {
        using var tokens = new ServiceTokens(Steps[3], TimeProvider.System);
        using var past = new ServiceTokens(Steps[0], TimeProvider.System);
        Assert.Equal(
            TokenFault.Forged,
            tokens.Take(past.Mint("n", AccessRole.Admin, "GET", "/x"), "GET", "/x", out _, out _)
        );
        Assert.NotNull(new CallerIdentifier(Steps[3], tokens, TimeProvider.System).Identify(Old).Refusal);
        Assert.NotNull(new CallerIdentifier(Steps[0], past, TimeProvider.System).Identify(New).Refusal);
        Assert.NotNull(
            new CallerIdentifier(Steps[2], tokens, TimeProvider.System).Identify("gx-a-third-key-of-nobody").Refusal
        );
    }

    [Fact]
    public void Secrets_are_opened_under_either_and_sealed_anew_under_the_present_one()
    {
        var document = new JsonObject
        {
            ["providers"] = new JsonArray(
                new JsonObject { ["api_key"] = new ConfigSecrets(Steps[0]).Seal("sk-secret-of-a-provider") }
            ),
        };
        var (second, third) = (new ConfigSecrets(Steps[2]), new ConfigSecrets(Steps[3]));
        Assert.Equal("sk-secret-of-a-provider", (string?)second.OpenAll(document)!["providers"]![0]!["api_key"]);
        Assert.True(second.IsOfOtherKey(document));
        Assert.Null((string?)third.OpenAll(document)!["providers"]![0]!["api_key"]);

        var anew = second.Reseal(document, second);

        Assert.False(second.IsOfOtherKey(anew));
        Assert.Equal("sk-secret-of-a-provider", (string?)third.OpenAll(anew)!["providers"]![0]!["api_key"]);
    }

    [Fact]
    public void Stores_keep_the_password_of_the_old_key()
    {
        EmbeddedStore Store(params (string, string)[] settings) =>
            EmbeddedStores.Read(
                new ConfigurationBuilder()
                    .AddInMemoryCollection(
                        settings
                            .Append(("GALAXY_STORES", "a"))
                            .Select(pair => KeyValuePair.Create(pair.Item1, (string?)pair.Item2))
                    )
                    .Build()
            )[0];

        Assert.Equal(
            Store(("GALAXY_API_KEY", Old)).Password,
            Store(("GALAXY_API_KEY", New), ("GALAXY_STORE_KEY", Old)).Password
        );
        Assert.NotEqual(Store(("GALAXY_API_KEY", Old)).Password, Store(("GALAXY_API_KEY", New)).Password);
    }

    [Theory]
    [InlineData("a,b", "one, three or five")]
    [InlineData("a,b,a", "one, three or five")]
    [InlineData("a b", "one, three or five")]
    [InlineData("http://a", "one, three or five")]
    public void A_list_of_stores_that_cannot_be_is_refused(string list, string says) =>
        Assert.Contains(
            says,
            Assert
                .Throws<SettingException>(() =>
                    EmbeddedStores.Read(
                        new ConfigurationBuilder()
                            .AddInMemoryCollection([
                                KeyValuePair.Create("GALAXY_STORES", (string?)list),
                                KeyValuePair.Create("GALAXY_API_KEY", (string?)Old),
                            ])
                            .Build()
                    )
                )
                .Message
        );
}
