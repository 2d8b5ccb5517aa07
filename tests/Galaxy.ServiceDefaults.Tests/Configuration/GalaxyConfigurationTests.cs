using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Configuration;
using Microsoft.Extensions.Configuration;

namespace Galaxy.ServiceDefaults.Tests.Configuration;

public class GalaxyConfigurationTests
{
    private static readonly ConfigDocument Providers = ConfigDocument.Find("providers")!;

    private static JsonNode Json(string text) => JsonNode.Parse(text)!;

    [Fact]
    public void Documents_become_keys_and_what_is_gone_is_gone()
    {
        var cluster = new GalaxyConfiguration();
        var configuration = new ConfigurationBuilder().Add(cluster).Build();
        cluster.Replace([(Providers, Json("""{"my_home":{"base_url":"http://h/v1","models":["a","b"]}}"""))]);

        Assert.Equal("http://h/v1", configuration["OneApi:Providers:my_home:BaseUrl"]);
        Assert.Equal("b", configuration["OneApi:Providers:my_home:Models:1"]);

        cluster.Replace([(Providers, null)]);
        Assert.Null(configuration["OneApi:Providers:my_home:BaseUrl"]);
    }

    [Fact]
    public void What_is_set_on_the_machine_wins()
    {
        var cluster = new GalaxyConfiguration();
        var configuration = new ConfigurationBuilder()
            .Add(cluster)
            .AddInMemoryCollection([new("OneApi:Providers:home:BaseUrl", "http://mine/v1")])
            .Build();
        cluster.Replace([(Providers, Json("""{"home":{"base_url":"http://cluster/v1"}}"""))]);

        Assert.Equal("http://mine/v1", configuration["OneApi:Providers:home:BaseUrl"]);
    }

    [Fact]
    public void Listeners_hear_of_changes_and_of_nothing_else()
    {
        var cluster = new GalaxyConfiguration();
        var configuration = new ConfigurationBuilder().Add(cluster).Build();
        var heard = 0;
        Microsoft.Extensions.Primitives.ChangeToken.OnChange(configuration.GetReloadToken, () => heard++);

        cluster.Replace([(Providers, Json("""{"home":{"base_url":"http://h/v1"}}"""))]);
        cluster.Replace([(Providers, Json("""{"home":{"base_url":"http://h/v1"}}"""))]);

        Assert.Equal(1, heard);
    }
}
