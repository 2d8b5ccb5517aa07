namespace Galaxy.LocalHosting.Description;

/// <summary>The services of Galaxy: the only place that names their ports, references and order of start.</summary>
public static class GalaxyServices
{
    private static readonly ServiceReference Coordinators = new("coordinator", "grpc");

    /// <summary>The embedded Redis-compatible store.</summary>
    public static ServiceKind Store { get; } =
        new("store", "Galaxy.Store")
        {
            Endpoints = [new("tcp", 6379) { Scheme = "tcp" }],
            HealthPath = null,
            IsNode = false,
        };

    public static ServiceKind Console { get; } =
        new("console", "Galaxy.Console")
        {
            Endpoints =
            [
                new("http", 8090),
                new("otlp-grpc", 4317, "OTLP_GRPC_PORT") { IsPublic = true },
                new("otlp-http", 4318, "OTLP_HTTP_PORT") { IsPublic = true },
            ],
            References = [Coordinators],
        };

    public static ServiceKind Coordinator { get; } =
        new("coordinator", "Galaxy.Coordinator")
        {
            Endpoints = [new("http", 8071), new("grpc", 9071, "GRPC_PORT")],
            References = [Coordinators],
            WaitsFor = ["store"],
            UsesStores = true,
        };

    public static ServiceKind Router { get; } =
        new("router", "Galaxy.Router")
        {
            Endpoints = [new("http", 8004)],
            References = [Coordinators],
            WaitsFor = ["coordinator"],
        };

    public static ServiceKind OneApi { get; } =
        new("oneapi", "Galaxy.OneApi")
        {
            Endpoints = [new("http", 8001)],
            References = [Coordinators],
            WaitsFor = ["coordinator"],
            UsesStores = true,
        };

    public static ServiceKind Gateway { get; } =
        new("gateway", "Galaxy.Gateway")
        {
            Endpoints =
            [
                new("ui", 8080, "WEB_UI_PORT") { IsPublic = true },
                new("api", 8000, "API_PORT") { IsPublic = true },
                new("ws", 8765, "WEBSOCKET_PORT") { IsPublic = true },
            ],
            References = [Coordinators, new("console"), new("router"), new("oneapi")],
            WaitsFor = ["coordinator", "console"],
        };

    public static ServiceKind Discovery { get; } =
        new("discovery", "Galaxy.Discovery")
        {
            Endpoints = [new("http", 8037), new("grpc", 9037, "GRPC_PORT")],
            References = [Coordinators],
            WaitsFor = ["coordinator"],
            UsesStores = true,
        };

    /// <summary>A device that runs tasks: the command <c>galaxy worker</c>.</summary>
    public static ServiceKind Worker { get; } =
        new("worker", "Galaxy.Cli")
        {
            Program = "galaxy",
            HealthPath = null,
            WaitsFor = ["gateway"],
            IsNode = false,
        };

    public static IReadOnlyList<ServiceKind> All { get; } =
    [Store, Console, Coordinator, Router, OneApi, Gateway, Discovery, Worker];

    /// <summary>The settings that name a public port, with the default.</summary>
    public static IReadOnlyDictionary<string, int> PublicPorts { get; } =
        All.SelectMany(kind => kind.Endpoints)
            .Where(endpoint => endpoint.IsPublic)
            .ToDictionary(endpoint => endpoint.Variable!, endpoint => endpoint.Port, StringComparer.OrdinalIgnoreCase);
}
