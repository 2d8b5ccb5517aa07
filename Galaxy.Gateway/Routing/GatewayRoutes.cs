using Galaxy.Gateway.Balancing;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Cluster;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Galaxy.Gateway.Routing;

/// <summary>Which requests go where. The routes are fixed; the destinations follow the cluster.</summary>
internal static class GatewayRoutes
{
    public const string Leader = "leader";
    public const string Reads = "reads";

    /// <summary>What every coordinator knows: in multi-master mode any of them is asked.</summary>
    public const string Replicated = "replicated";

    /// <summary>Every coordinator that can be reached.</summary>
    public const string Any = "any";
    public const string Router = "router";

    /// <summary>Routers as well, but always the same one: it has the sessions of the agents.</summary>
    public const string Mcp = "mcp";
    public const string OneApi = "oneapi";
    public const string Console = "console";
    public const string Discovery = "discovery";

    /// <summary>
    /// Names the listener that a request came in by; set by <see cref="PortRules"/>, whatever the client sent.
    /// </summary>
    public const string DoorHeader = "X-Galaxy-Door";

    /// <summary><c>any</c>: this read may be a moment old.</summary>
    private const string ReadHeader = "X-Galaxy-Read";

    private const string AnyPrefix = "any ";

    /// <summary>The <see cref="DoorHeader"/> of the port that also serves the console.</summary>
    public const string UiDoor = "ui";

    /// <summary>Bytes; no service but OneApi takes more.</summary>
    private const long OrdinaryBody = 16 * 1024 * 1024;

    private static readonly string[] ReadMethods = ["GET", "HEAD"];
    private static readonly string[] CoordinatorPaths =
    [
        "/api/{**rest}",
        "/devices/{**rest}",
        "/tasks/{**rest}",
        "/groups/{**rest}",
        "/execute/{**rest}",
        "/status",
        "/stats",
        "/openapi/{**rest}",
    ];
    private static readonly string[] StatePaths =
    [
        "/api/v1/state/{**rest}",
        "/api/v1/sync/{**rest}",
        "/api/v1/config/{**rest}",
    ];
    private static readonly string[] ReplicatedPaths = ["/api/v1/cluster", "/api/v1/failovers", "/api/v1/failover"];
    private static readonly string[] RouterPaths =
    [
        "/route/{**rest}",
        "/invoke/{**rest}",
        "/tools/{**rest}",
        "/nodes/{**rest}",
        "/register",
        "/heartbeat",
        "/discover/{**rest}",
        "/topology",
        "/health-check",
    ];

    private static readonly string[] ConsolePaths =
    [
        "/api/v1/traces/{**rest}",
        "/api/v1/logs/{**rest}",
        "/api/v1/metrics/{**rest}",
        "/api/v1/resources/{**rest}",
    ];

    public static IReadOnlyList<RouteConfig> All { get; } =
    [
        .. ConsolePaths.Select(path => Route("console " + path, Console, path, order: 0)),
        Route("discovery", Discovery, "/api/v1/discovery/{**rest}", order: 0),
        .. ReplicatedPaths.Select(path =>
            Route("replicated " + path, Replicated, path, order: 0) with
            {
                Match = new RouteMatch { Path = path, Methods = ReadMethods },
            }
        ),
        // Available without a leader, to write as well as to read.
        .. StatePaths.Select(path => Route("state " + path, Reads, path, order: 0)),
        // A client that accepts data a moment old says so in a header: its reads put no more load on the leader than on
        // the other coordinators.
        .. CoordinatorPaths
            .Concat(StatePaths)
            .Concat(ReplicatedPaths)
            .Select(path =>
                Route(AnyPrefix + path, Any, path, order: 0) with
                {
                    Match = new RouteMatch
                    {
                        Path = path,
                        Methods = ReadMethods,
                        Headers =
                        [
                            new RouteHeader
                            {
                                Name = ReadHeader,
                                Values = ["any"],
                                Mode = HeaderMatchMode.ExactHeader,
                            },
                        ],
                    },
                }
            ),
        .. CoordinatorPaths.Select(path =>
            Route("read " + path, Reads, path, order: 1) with
            {
                Match = new RouteMatch { Path = path, Methods = ReadMethods },
            }
        ),
        .. CoordinatorPaths.Select(path => Route("write " + path, Leader, path, order: 2)),
        // A phone that can set no header shows its key in the first message; the coordinator asks for it.
        Route("sockets", Leader, "/ws/{**rest}", order: 1) with
        {
            AuthorizationPolicy = "anonymous",
        },
        // Only OneApi knows the keys that are for models only; it refuses clients in the dialect that they speak.
        Route("models", OneApi, "/v1/{**rest}", order: 1) with
        {
            AuthorizationPolicy = "anonymous",
        },
        // A machine that joins has no key yet.
        Route("join", Leader, "/api/v1/join", order: 0) with
        {
            AuthorizationPolicy = "anonymous",
        },
        Route("keys", OneApi, "/api/v1/keys/{**rest}", order: 0),
        Route("usage", OneApi, "/api/v1/usage", order: 0),
        Route("providers", OneApi, "/api/v1/providers", order: 0),
        // A whole cluster in one body, which the gateway's own bound still holds for.
        Route("backup", Leader, "/api/v1/backup/{**rest}", order: 0) with
        {
            MaxRequestBodySize = null,
        },
        // Only the leader hears what becomes of every task.
        .. new[] { "/api/v1/tasks/watch", "/tasks/watch" }.Select(path =>
            Route("watch " + path, Leader, path, order: 0)
        ),
        Route("mcp", Mcp, "/mcp/{**rest}", order: 1),
        Route("router document", Router, "/openapi/router.json", order: 0),
        Route("oneapi document", OneApi, "/openapi/oneapi.json", order: 0),
        Route("discovery document", Discovery, "/openapi/discovery.json", order: 0),
        Route("console document", Console, "/openapi/console.json", order: 0),
        .. RouterPaths.Select(path => Route("route " + path, Router, path, order: 1)),
        // The console signs people in by itself.
        Route("console", Console, "/{**rest}", order: 100) with
        {
            AuthorizationPolicy = "anonymous",
            Match = new RouteMatch
            {
                Path = "/{**rest}",
                Headers =
                [
                    new RouteHeader
                    {
                        Name = DoorHeader,
                        Values = [UiDoor],
                        Mode = HeaderMatchMode.ExactHeader,
                    },
                ],
            },
        },
    ];

    /// <summary>The kind of service that a path goes to; null: none, or the console's pages.</summary>
    public static string? KindOf(string path, string method)
    {
        var route = All.Where(one =>
                one.RouteId != "console"
                && one.ClusterId != Any
                && (one.Match.Methods is null || one.Match.Methods.Contains(method))
                && Matches(one.Match.Path!, path)
            )
            .OrderBy(one => one.Order)
            .ThenByDescending(one => one.Match.Path!.Length)
            .FirstOrDefault();
        return route?.ClusterId switch
        {
            null => null,
            Leader or Reads or Replicated => "coordinator",
            Mcp => Router,
            var other => other,
        };
    }

    private static bool Matches(string pattern, string path)
    {
        var start = pattern.IndexOf("/{**", StringComparison.Ordinal);
        return start < 0
            ? path == pattern
            : path.StartsWith(pattern[..start], StringComparison.Ordinal)
                && (path.Length == start || path[start] == '/');
    }

    /// <summary>The destinations as the cluster is now.</summary>
    /// <param name="configured">Services named by configuration rather than by the registry, by kind.</param>
    /// <param name="spreadReads">Multi-master: reads of what is replicated go to every coordinator. Standbys take none
    /// until they lead.</param>
    /// <param name="timeouts">Seconds of silence after which a service has hung, by cluster.</param>
    public static IReadOnlyList<ClusterConfig> Clusters(
        ClusterView view,
        ILookup<string, string> configured,
        bool spreadReads,
        IReadOnlyDictionary<string, double> timeouts
    )
    {
        ClusterConfig Cluster(string id, IEnumerable<string> urls, bool checkHealth) =>
            Make(id, urls, checkHealth, Timeout(id, timeouts));

        var leader = view.UsableLeader is { } usable ? [usable.Url] : Array.Empty<string>();
        // The leader answers reads best; while there is none, any coordinator does.
        var reads = leader.Length > 0 ? leader : view.Reachable.Select(node => node.Url);
        var all = view
            .Reachable.Where(node => node.Role != "standby")
            .Select(node => node.Url)
            .Concat(leader)
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .ToList();
        var replicated = spreadReads ? all : reads;
        return
        [
            Cluster(Leader, leader, checkHealth: false),
            Cluster(Reads, reads, checkHealth: false),
            Cluster(Replicated, replicated, checkHealth: false),
            Cluster(Any, all, checkHealth: false),
            Cluster(Router, Services(view, configured, "router"), checkHealth: true),
            Cluster(Mcp, Services(view, configured, "router"), checkHealth: true) with
            {
                LoadBalancingPolicy = "FirstAlphabetical",
            },
            Cluster(OneApi, Services(view, configured, "oneapi"), checkHealth: true),
            Cluster(Console, Services(view, configured, "console"), checkHealth: true),
            Cluster(Discovery, Services(view, configured, "discovery"), checkHealth: true),
        ];
    }

    private static IEnumerable<string> Services(ClusterView view, ILookup<string, string> configured, string kind) =>
        view
            .Services.Where(service => service.Kind == kind)
            .Select(service => service.Url)
            .Concat(configured[kind])
            .Distinct(StringComparer.OrdinalIgnoreCase);

    private static RouteConfig Route(string id, string cluster, string path, int order) =>
        new()
        {
            RouteId = id,
            ClusterId = cluster,
            Order = order,
            Match = new RouteMatch { Path = path },
            AuthorizationPolicy = RequiredRole.PolicyOf(AccessRole.Member),
            // Only conversations with models are long. What a service would refuse at once, and hang up on, is refused
            // here in words.
            MaxRequestBodySize = cluster == OneApi ? null : OrdinaryBody,
        };

    // Streams of events and long completions: silence is normal, so only a very long one ends a request.
    // What every coordinator has in memory is answered at once, or by one that hangs.
    private static TimeSpan Timeout(string id, IReadOnlyDictionary<string, double> timeouts) =>
        TimeSpan.FromSeconds(
            timeouts.FirstOrDefault(pair => pair.Key.Equals(id, StringComparison.OrdinalIgnoreCase))
                is { Value: > 0 } set
                ? set.Value
            : id == Replicated ? 2
            : 600
        );

    private static ClusterConfig Make(string id, IEnumerable<string> urls, bool checkHealth, TimeSpan timeout) =>
        new()
        {
            ClusterId = id,
            LoadBalancingPolicy = SlowStart.PolicyName,
            Destinations = urls.Distinct(StringComparer.OrdinalIgnoreCase)
                .ToDictionary(url => url, url => new DestinationConfig { Address = url }),
            SessionAffinity =
                id == Console
                    ? new SessionAffinityConfig
                    {
                        Enabled = true,
                        Policy = "HashCookie",
                        AffinityKeyName = ".galaxy.console",
                        FailurePolicy = "Redistribute",
                    }
                    : null,
            HttpRequest = new ForwarderRequestConfig { ActivityTimeout = timeout },
            HealthCheck = checkHealth
                ? new HealthCheckConfig
                {
                    AvailableDestinationsPolicy = "HealthyOrPanic",
                    Active = new ActiveHealthCheckConfig
                    {
                        Enabled = true,
                        Path = "/alive",
                        Interval = TimeSpan.FromSeconds(5),
                        Timeout = TimeSpan.FromSeconds(2),
                        Policy = "ConsecutiveFailures",
                    },
                    Passive = new PassiveHealthCheckConfig
                    {
                        Enabled = true,
                        Policy = OutlierEjection.PolicyName,
                        ReactivationPeriod = TimeSpan.FromSeconds(5),
                    },
                }
                : null,
        };
}
