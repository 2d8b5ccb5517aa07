using Galaxy.LocalHosting;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Galaxy.Cli.Machine;

/// <summary>A <see cref="MachinePlan"/> in the vocabulary of the local runner, which starts, watches and ends the processes.</summary>
internal static class MachineModel
{
    private const int CoordinatorPort = 8071;
    private const int CoordinatorGrpcPort = 9071;

    // Said for each process by itself, or meant for this program.
    private static readonly string[] NotPassedOn =
        ["Galaxy_NODE_ID", "Galaxy_NODE_ROLE", "GALAXY_API_KEY", "GALAXY_BIND", "GALAXY_ADVERTISE", "GALAXY_DATA", "GALAXY_STORES", "ConnectionStrings:redis", "PRIMARY_URL", "Galaxy_SEEDS"];

    public static DistributedApplication Build(MachinePlan plan, Programs programs, bool quiet)
    {
        var builder = DistributedApplication.CreateBuilder(quiet ? ["--quiet"] : []);
        builder.Environment.EnvironmentName = Environments.Production;
        builder.Configuration["GALAXY_DATA"] = plan.Data;
        var key = builder.AddParameter("api-key", () => plan.Node.ApiKey!, secret: true);
        var settings = NodeConfiguration.FromFiles(Directory.GetCurrentDirectory())
            .Where(pair => !NotPassedOn.Contains(pair.Key, StringComparer.OrdinalIgnoreCase) && Environment.GetEnvironmentVariable(pair.Key.Replace(":", "__", StringComparison.Ordinal)) is null).ToList();
        var bind = plan.Node.Bind ?? "*";

        var stores = plan.OwnStores.Select((store, i) => builder
            .AddExecutable(i == 0 ? "store" : $"store-{i + 1}", programs["Galaxy.Store"], plan.Data, "--port", $"{store.Port}", "--bind", bind, "--data", Path.Combine(plan.Data, i == 0 ? "store" : $"store-{i + 1}"))
            .WithEndpoint(port: store.Port, scheme: "tcp", name: "redis")
            .WithEnvironment("GALAXY_STORE_PASSWORD", store.Password)).ToList();
        if (plan.Role == MachineRole.Witness)
            return builder.Build();

        var console = Service("Galaxy.Console", "console", 8090)
            .WithEndpoint(port: 4317, scheme: "http", name: "otlp-grpc", env: "OTLP_GRPC_PORT")
            .WithEndpoint(port: 4318, scheme: "http", name: "otlp-http", env: "OTLP_HTTP_PORT")
            .WithEnvironment("GALAXY_RUNNER", Path.Combine(plan.Data, "runner.json"));
        var coordinator = Service("Galaxy.Coordinator", null, CoordinatorPort)
            .WithEndpoint(port: CoordinatorGrpcPort, scheme: "http", name: "grpc", env: "GRPC_PORT")
            .WithEnvironment("Galaxy_NODE_ROLE", plan.Role == MachineRole.Standby ? "standby" : "coordinator");
        foreach (var store in stores)
            coordinator.WaitFor(store);
        console.WithReference(coordinator.GetEndpoint("grpc"));
        var router = Follower("Galaxy.Router", "router", 8004);
        var models = Follower("Galaxy.OneApi", "oneapi", 8001);
        var discovery = Follower("Galaxy.Discovery", "discovery", 8037).WithEndpoint(port: 9037, scheme: "http", name: "grpc", env: "GRPC_PORT");
        Follower("Galaxy.Gateway", "gateway", null)
            .WithEndpoint(port: Port("WEB_UI_PORT", 8080), scheme: "http", name: "ui", env: "WEB_UI_PORT")
            .WithEndpoint(port: Port("API_PORT", 8000), scheme: "http", name: "api", env: "API_PORT")
            .WithEndpoint(port: Port("WEBSOCKET_PORT", 8765), scheme: "http", name: "ws", env: "WEBSOCKET_PORT")
            .WithHttpHealthCheck("/alive", endpointName: "ui")
            .WithReference(console).WithReference(router).WithReference(models)
            .WaitFor(console)
            .WithUrlForEndpoint("ui", url => (url.Url, url.DisplayText) = ($"{Public(url.Url)}/sign-in/link?code={SignInLink.Mint(plan.Node.ApiKey!, DateTimeOffset.UtcNow)}", "Console, signed in once"))
            .WithUrlForEndpoint("api", url => (url.Url, url.DisplayText) = (Public(url.Url), "API"))
            .WithUrlForEndpoint("ws", url => (url.Url, url.DisplayText) = (Public(url.Url).Replace("http:", "ws:", StringComparison.Ordinal), "Sockets (MASTER_URL of workers)"));
        return builder.Build();

        // What runs beside the coordinator and knows all of them.
        IResourceBuilder<ProjectResource> Follower(string project, string name, int? port) =>
            Service(project, name, port).WithReference(coordinator.GetEndpoint("grpc")).WaitFor(coordinator);

        // The coordinator is the node itself; the others are called after it.
        IResourceBuilder<ProjectResource> Service(string project, string? name, int? port)
        {
            var service = builder.AddResource(new ProjectResource(name ?? "coordinator", new Program(programs[project])));
            if (port is not null)
                service.WithHttpEndpoint(port).WithHttpHealthCheck("/alive");
            foreach (var (setting, value) in settings)
                service.WithEnvironment(setting.Replace(":", "__", StringComparison.Ordinal), value);
            return service
                .WithEnvironment("Galaxy_NODE_ID", name is null ? plan.Node.NodeId : $"{plan.Node.NodeId}-{name}")
                .WithEnvironment("Galaxy_NODE_ROLE", "coordinator")
                .WithEnvironment("GALAXY_API_KEY", key)
                .WithEnvironment("GALAXY_BIND", bind)
                .WithEnvironment("GALAXY_ADVERTISE", plan.Node.Advertise)
                .WithEnvironment("GALAXY_DATA", Path.Combine(plan.Data, "nodes", name ?? "coordinator"))
                .WithEnvironment("ConnectionStrings__redis", plan.Stores)
                .WithEnvironment("PRIMARY_URL", plan.Node.PrimaryUrl?.ToString())
                .WithEnvironment("Galaxy_SEEDS", string.Join(',', plan.Seeds));
        }

        int Port(string setting, int fallback) => NodeOptionsReader.Port(plan.Settings, setting, fallback, allowZero: false);

        string Public(string url) => url.Replace("127.0.0.1", plan.Host.Contains(':', StringComparison.Ordinal) ? $"[{plan.Host}]" : plan.Host, StringComparison.Ordinal);
    }

    private sealed class Program(string path) : IProjectMetadata
    {
        public string ProjectPath => path;

        public string TargetPath => OperatingSystem.IsWindows() ? path : path + ".dll";
    }
}
