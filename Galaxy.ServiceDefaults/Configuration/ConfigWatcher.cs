using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Cluster;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Galaxy.ServiceDefaults.Configuration;

/// <summary>Follows the cluster's configuration at one coordinator, and at the next one when that is gone.</summary>
internal sealed partial class ConfigWatcher(
    GalaxyConfiguration configuration,
    ConfigSecrets secrets,
    ClusterWatcher cluster,
    CoordinatorChannels channels,
    NodeOptions node,
    TimeProvider time,
    ILogger<ConfigWatcher> log
) : BackgroundService
{
    /// <summary>The configuration has been received at least once.</summary>
    public bool IsReady { get; private set; }

    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(200);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string? last = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            var view = cluster.Current;
            // Any coordinator knows it; after a failure another one is asked.
            var target = view
                .Reachable.OrderBy(one => one.GrpcUrl == last)
                .ThenByDescending(one => one.Boot == view.UsableLeader?.Boot)
                .FirstOrDefault();
            if (target is not null)
            {
                last = target.GrpcUrl;
                await FollowAsync(target.GrpcUrl, stoppingToken);
            }
            await Task.Delay(Again, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task FollowAsync(string address, CancellationToken stopping)
    {
        try
        {
            using var call = channels
                .Cluster(address)
                .WatchConfig(new WatchConfigRequest { NodeId = node.NodeId }, cancellationToken: stopping);
            await foreach (var snapshot in call.ResponseStream.ReadAllAsync(stopping))
                Take(snapshot);
        }
        catch (Exception ended)
            when (ended
                    is RpcException
                        or HttpRequestException
                        or IOException
                        or OperationCanceledException
                        or ObjectDisposedException
            )
        {
            LogEnded(address, ended.Message);
        }
    }

    private void Take(ConfigSnapshot snapshot)
    {
        IsReady = true;
        try
        {
            configuration.Replace(
                snapshot
                    .Documents.Select(document =>
                        (ConfigDocument.Find(document.Name), Json: secrets.OpenAll(JsonNode.Parse(document.Json.Span)))
                    )
                    .Where(document => document.Item1 is not null)
                    .Select(document => (document.Item1!, document.Json))
            );
        }
        catch (JsonException bad)
        {
            LogUnreadable(bad.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Following the configuration at {Address} ended: {Reason}")]
    private partial void LogEnded(string address, string reason);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The cluster's configuration cannot be read, what was known stays in force: {Reason}"
    )]
    private partial void LogUnreadable(string reason);
}
