using System.Text.Json.Nodes;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Configuration;

/// <summary>Puts the cluster's configuration in force on this coordinator itself.</summary>
internal sealed partial class OwnConfiguration(
    ConfigCatalog catalog,
    ConfigSecrets secrets,
    StateFeed feed,
    GalaxyConfiguration configuration,
    NodeOptions node,
    ILogger<OwnConfiguration> log
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var documents in Follow(catalog, feed, node.NodeId, stoppingToken))
        {
            try
            {
                configuration.Replace(
                    documents.Select(document => (document.Document, secrets.OpenAll(document.Json)))
                );
            }
            catch (Exception failure)
            {
                LogFailed(failure);
            }
        }
    }

    /// <summary>
    /// The documents in force on a node, and again after each change of the configuration. Ends with the token.
    /// </summary>
    public static async IAsyncEnumerable<IReadOnlyList<(ConfigDocument Document, JsonNode? Json)>> Follow(
        ConfigCatalog catalog,
        StateFeed feed,
        string nodeId,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ends
    )
    {
        while (!ends.IsCancellationRequested)
        {
            var next = feed.NextIn(Namespaces.Config);
            yield return [.. ConfigDocument.All.Select(document => (document, catalog.Effective(document, nodeId)))];
            await next.WaitAsync(ends).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The cluster's configuration could not be put in force")]
    private partial void LogFailed(Exception failure);
}
