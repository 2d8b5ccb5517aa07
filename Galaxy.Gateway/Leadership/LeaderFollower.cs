using System.Diagnostics;
using Galaxy.Gateway.Routing;
using Galaxy.Gateway.Settings;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Telemetry;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace Galaxy.Gateway.Leadership;

/// <summary>Turns each change of the cluster into destinations, within milliseconds of a coordinator's word.</summary>
internal sealed partial class LeaderFollower(
    ClusterWatcher watcher,
    InMemoryConfigProvider proxy,
    IConfiguration configuration,
    IOptionsMonitor<GatewayOptions> options,
    NodeOptions node,
    ILogger<LeaderFollower> log
) : BackgroundService
{
    private static readonly ActivitySource Source = new("Galaxy.Gateway");
    private static readonly string[] Kinds = ["router", "oneapi", "console", "discovery"];

    private readonly Lock _gate = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var configured = ConfiguredServices();
        var routes = GatewayRoutes.All;
        var applied = "";
        long token = 0;
        using var following = options.OnChange(_ => Apply(watcher.Current));
        await foreach (var view in watcher.Changes(stoppingToken))
        {
            var leader = view.UsableLeader;
            // The switch is this gateway's part of the failover's trace.
            using var activity =
                leader is not null && leader.Token > token
                    ? Source.Start("gateway switch", ActivityKind.Internal, leader.Traceparent)
                    : null;
            activity?.SetTag("galaxy.leader", leader?.NodeId);
            activity?.SetTag("galaxy.token", leader?.Token);
            Apply(view);
            if (leader is not null && leader.Token > token)
            {
                token = leader.Token;
                LogFollowing(leader.NodeId, token);
            }
        }

        void Apply(ClusterView view)
        {
            var timeouts = options.CurrentValue.TimeoutSeconds;
            var clusters = GatewayRoutes.Clusters(
                view,
                configured,
                node.FailoverMode == FailoverMode.MultiMaster,
                timeouts
            );
            var fingerprint = string.Join(
                '\n',
                clusters
                    .SelectMany(c =>
                        c.Destinations!.Keys.Order(StringComparer.Ordinal).Select(url => $"{c.ClusterId} {url}")
                    )
                    .Concat(timeouts.Select(pair => $"{pair.Key} {pair.Value}"))
            );
            lock (_gate)
            {
                if (fingerprint == applied)
                    return;
                proxy.Update(routes, clusters);
                applied = fingerprint;
            }
        }
    }

    /// <summary>What Aspire or the supervisor injects as <c>services:router-a:http:0</c>.</summary>
    private ILookup<string, string> ConfiguredServices() =>
        configuration
            .GetSection("services")
            .GetChildren()
            .SelectMany(service =>
                Kinds
                    .Where(kind => service.Key.StartsWith(kind, StringComparison.OrdinalIgnoreCase))
                    .SelectMany(kind =>
                        service
                            .GetSection("http")
                            .GetChildren()
                            .Select(address => (Kind: kind, Url: address.Value?.TrimEnd('/')))
                    )
            )
            .Where(pair => pair.Url is not null)
            .ToLookup(pair => pair.Kind, pair => pair.Url!);

    [LoggerMessage(Level = LogLevel.Information, Message = "Following {Leader} under token {Token}")]
    private partial void LogFollowing(string leader, long token);
}
