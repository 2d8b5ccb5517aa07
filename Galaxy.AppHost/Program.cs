using Galaxy.AppHost;
using Galaxy.ServiceDefaults.Authentication;

// The whole system, as one picture. `--scenario cloud | active-passive | multi-master` (default).
var builder = DistributedApplication.CreateBuilder(args);
var scenario = Scenario.Read(builder.Configuration);

var data = LocalKey.Folder(builder.Configuration, builder.Environment.ContentRootPath);
var apiKey = LocalKey.ReadOrCreate(builder.Configuration, data);
var key = builder.AddParameter("api-key", () => apiKey, secret: true);
// One store, or three or five that make a quorum: `--stores 3`.
var stores = scenario.Stores.Select(name => builder.AddStore(name)).ToList();

var console = builder.AddProject<Projects.Galaxy_Console>("console")
    .WithHttpEndpoint()
    .WithEndpoint(port: scenario.Port("OTLP_GRPC_PORT", 4317), scheme: "http", name: "otlp-grpc", env: "OTLP_GRPC_PORT", isProxied: false)
    .WithEndpoint(port: scenario.Port("OTLP_HTTP_PORT", 4318), scheme: "http", name: "otlp-http", env: "OTLP_HTTP_PORT", isProxied: false)
    .WithEnvironment("GALAXY_RUNNER", Path.Combine(data, "runner.json"))
    .AsGalaxyNode("console", key, data);

var coordinators = scenario.Coordinators
    .Select(node => builder.AddProject<Projects.Galaxy_Coordinator>(node.Name)
        .WithHttpEndpoint()
        .WithEndpoint(scheme: "http", name: "grpc", env: "GRPC_PORT")
        .AsGalaxyNode(node.Name, key, data)
        .WithEnvironment("Galaxy_NODE_ROLE", node.Role)
        .WithEnvironment("FAILOVER_MODE", scenario.FailoverMode)
        .WithEnvironment("FAILOVER_PRIMARY", scenario.Coordinators[0].Name)
        .Uses(stores))
    .ToList();
foreach (var coordinator in coordinators)
    coordinator.Knows(coordinators.Where(other => other != coordinator));
console.Knows(coordinators);

var routers = scenario.Routers
    .Select(name => builder.AddProject<Projects.Galaxy_Router>(name).WithHttpEndpoint().AsGalaxyNode(name, key, data).Knows(coordinators).WaitFor(coordinators[0]))
    .ToList();
var models = scenario.OneApis
    .Select(name => builder.AddProject<Projects.Galaxy_OneApi>(name).WithHttpEndpoint().AsGalaxyNode(name, key, data).Knows(coordinators).Uses(stores).WaitFor(coordinators[0]))
    .ToList();

var gateway = builder.AddProject<Projects.Galaxy_Gateway>("gateway")
    .WithEndpoint(port: scenario.Port("WEB_UI_PORT", 8080), scheme: "http", name: "ui", env: "WEB_UI_PORT", isProxied: false)
    .WithEndpoint(port: scenario.Port("API_PORT", 8000), scheme: "http", name: "api", env: "API_PORT", isProxied: false)
    .WithEndpoint(port: scenario.Port("WEBSOCKET_PORT", 8765), scheme: "http", name: "ws", env: "WEBSOCKET_PORT", isProxied: false)
    .AsGalaxyNode("gateway", key, data, healthEndpoint: "ui")
    .WithEnvironment("FAILOVER_MODE", scenario.FailoverMode)
    .WithReference(console)
    .Knows(coordinators)
    .WithUrlForEndpoint("ui", url => (url.Url, url.DisplayText) = ($"{url.Url}/sign-in/link?code={SignInLink.Mint(apiKey, DateTimeOffset.UtcNow)}", "Console, signed in once"))
    .WithUrlForEndpoint("api", url => url.DisplayText = "API")
    .WithUrlForEndpoint("ws", url => (url.Url, url.DisplayText) = (url.Url.Replace("http:", "ws:"), "Sockets"))
    .WithExternalHttpEndpoints()
    .WaitFor(coordinators[0])
    .WaitFor(console);
foreach (var service in routers.Concat(models))
    gateway.WithReference(service);

builder.AddProject<Projects.Galaxy_Discovery>("discovery")
    .WithHttpEndpoint()
    .WithEndpoint(scheme: "http", name: "grpc", env: "GRPC_PORT")
    .AsGalaxyNode("discovery", key, data)
    .WithEnvironment("NODE71_BROADCAST_PORT", builder.Configuration["NODE71_BROADCAST_PORT"] ?? "37021")
    .Knows(coordinators)
    .Uses(stores)
    .WaitFor(coordinators[0]);

foreach (var worker in scenario.Workers)
{
    builder.AddProject<Projects.Galaxy_Cli>(worker)
        .WithArgs("worker", "--id", worker)
        .WithEnvironment("GALAXY_API_KEY", key)
        .WithEnvironment("MASTER_URL", gateway.GetEndpoint("ws"))
        .WaitFor(gateway);
}

builder.Build().Run();
