using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.ServiceDefaults.Tests.Configuration;

public class ConfigSecretsTests
{
    private static ConfigSecrets Secrets(string key, string cluster = "home") =>
        new(
            new NodeOptions
            {
                NodeId = "n",
                ApiKey = key,
                Cluster = cluster,
            }
        );

    [Fact]
    public void A_secret_is_read_with_the_same_key_and_not_with_another()
    {
        var box = Secrets("the-cluster-key").Seal("sk-live-0123456789abcd");

        Assert.Equal("sk-live-0123456789abcd", Secrets("the-cluster-key").Open(box));
        Assert.Null(Secrets("another-key").Open(box));
        Assert.Null(Secrets("the-cluster-key", "other").Open(box));
        Assert.DoesNotContain("0123456789", box.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_that_was_tampered_with_is_not_opened()
    {
        var secrets = Secrets("the-cluster-key");
        var box = secrets.Seal("sk-live-0123456789abcd");
        var bytes = Convert.FromBase64String((string)box["$sealed"]!);
        bytes[^1] ^= 1;
        box["$sealed"] = Convert.ToBase64String(bytes);

        Assert.Null(secrets.Open(box));
        box["$sealed"] = "not base64";
        Assert.Null(secrets.Open(box));
    }

    [Theory]
    [InlineData("sk-live-0123456789abcd", "sk-…abcd")]
    [InlineData("0123456789abcdef", "…cdef")]
    [InlineData("short", "…")]
    public void A_document_is_shown_with_hints(string secret, string hint)
    {
        var document = new JsonObject
        {
            ["home"] = new JsonObject
            {
                ["api_key"] = Secrets("the-cluster-key").Seal(secret),
                ["models"] = new JsonArray("m"),
            },
        };

        Assert.Equal(
            "{\"home\":{\"api_key\":\"" + hint + "\",\"models\":[\"m\"]}}",
            ConfigSecrets
                .Show(document)!
                .ToJsonString(GalaxyJson.Options)
                .Replace("\\u2026", "…", StringComparison.Ordinal)
        );
    }
}
