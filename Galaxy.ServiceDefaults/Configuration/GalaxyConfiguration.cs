using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Galaxy.ServiceDefaults.Configuration;

/// <summary>
/// The cluster's configuration as a source of <see cref="IConfiguration"/>, reloaded in place as it changes.
/// </summary>
public sealed class GalaxyConfiguration : ConfigurationProvider, IConfigurationSource
{
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>Replaces everything. Options monitors are told only when something differs.</summary>
    public void Replace(IEnumerable<(ConfigDocument Document, JsonNode? Json)> documents)
    {
        var keys = ConfigKeys.Of(documents);
        if (
            keys.Count == Data.Count
            && keys.All(pair => Data.TryGetValue(pair.Key, out var known) && known == pair.Value)
        )
            return;
        Data = keys;
        OnReload();
    }
}

public static class GalaxyConfigurationExtensions
{
    /// <summary>
    /// Adds the cluster's configuration beneath everything that is set on this machine: command line &gt; environment
    /// &gt; .env &gt; config.json &gt; cluster &gt; defaults. Until a coordinator answers, it is empty. Needs
    /// <see cref="ClusterWatcher"/>.
    /// </summary>
    public static void AddGalaxyConfiguration(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(builder.AddGalaxyConfigurationSource());
        builder.Services.AddSingleton<ConfigSecrets>();
        builder.Services.AddSingleton<ConfigWatcher>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ConfigWatcher>());
    }

    /// <summary>The source alone, for a process that fills it itself.</summary>
    public static GalaxyConfiguration AddGalaxyConfigurationSource(this IHostApplicationBuilder builder)
    {
        var source = new GalaxyConfiguration();
        builder.Configuration.Sources.Insert(0, source);
        return source;
    }
}
