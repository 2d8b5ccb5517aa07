using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Supervision;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;

namespace Galaxy.Cli.Machine;

/// <summary>
/// Turns a <see cref="MachinePlan"/> into the services of this machine, at their fixed ports, under a supervisor.
/// </summary>
internal static class MachineModel
{
    // These are said for each service by itself, or are meant for this program.
    private static readonly string[] NotPassedOn =
    [
        "Galaxy_NODE_ID",
        "Galaxy_NODE_ROLE",
        "GALAXY_API_KEY",
        "GALAXY_BIND",
        "GALAXY_ADVERTISE",
        "GALAXY_DATA",
        "GALAXY_STORES",
        "ConnectionStrings:redis",
        "PRIMARY_URL",
        "Galaxy_SEEDS",
    ];

    /// <exception cref="Galaxy.LocalHosting.Processes.PortTakenException">A port of this machine is taken.</exception>
    public static Supervisor Build(MachinePlan plan, ProgramFolder programs, bool quiet)
    {
        var services = plan.OwnStores.Select((store, i) => Store(plan, store, i)).ToList();
        if (plan.Role != MachineRole.Witness)
        {
            services.AddRange(
                new[]
                {
                    GalaxyServices.Console,
                    GalaxyServices.Coordinator,
                    GalaxyServices.Router,
                    GalaxyServices.OneApi,
                    GalaxyServices.Discovery,
                    GalaxyServices.Gateway,
                }.Select(kind => Service(plan, kind))
            );
        }
        // Each store has a port of its own, by its number in the list.
        var processes = new SystemWiring(services, programs)
        {
            Port = endpoint =>
                endpoint.IsPublic
                    ? NodeOptionsReader.Port(plan.Settings, endpoint.Variable!, endpoint.Port, allowZero: false)
                    : endpoint.Port,
            EnvironmentName = "Production",
            ConnectionStrings = [("redis", plan.Stores)],
        }.Wire();
        return new Supervisor(processes, plan.Data, quiet)
        {
            Links = cancellationToken => LinksAsync(plan, processes, cancellationToken),
        };
    }

    private static ServiceInstance Store(MachinePlan plan, EmbeddedStore store, int index)
    {
        var name = index == 0 ? "store" : $"store-{index + 1}";
        return new ServiceInstance(
            GalaxyServices.Store with
            {
                Endpoints = [GalaxyServices.Store.Endpoints[0] with { Port = store.Port }],
            },
            name
        )
        {
            Arguments = _ =>
                ServiceEnvironment.StoreArguments(store.Port, Path.Combine(plan.Data, name), plan.Node.Bind ?? "*"),
            Environment = [("GALAXY_STORE_PASSWORD", store.Password)],
        };
    }

    // The coordinator is the node itself; the others are called after it.
    private static ServiceInstance Service(MachinePlan plan, ServiceKind kind)
    {
        var isCoordinator = kind.Is(GalaxyServices.Coordinator);
        return new ServiceInstance(kind, kind.Name)
        {
            Environment =
            [
                .. SettingsOfFiles(),
                (ServiceEnvironment.NodeId, isCoordinator ? plan.Node.NodeId : $"{plan.Node.NodeId}-{kind.Name}"),
                (
                    ServiceEnvironment.NodeRole,
                    isCoordinator && plan.Role == MachineRole.Standby ? "standby" : "coordinator"
                ),
                (ServiceEnvironment.ApiKey, plan.Node.ApiKey),
                (ServiceEnvironment.Bind, plan.Node.Bind ?? "*"),
                ("GALAXY_ADVERTISE", plan.Node.Advertise),
                (ServiceEnvironment.Data, Path.Combine(plan.Data, "nodes", kind.Name)),
                ("PRIMARY_URL", plan.Node.PrimaryUrl?.ToString()),
                ("Galaxy_SEEDS", string.Join(',', plan.Seeds)),
                .. kind.Is(GalaxyServices.Console)
                    ? [(ServiceEnvironment.ControlFile, Path.Combine(plan.Data, "runner.json"))]
                    : Array.Empty<(string, string?)>(),
            ],
        };
    }

    // What .env and config.json say, unless the environment says it as well and so better.
    private static IEnumerable<(string, string?)> SettingsOfFiles() =>
        NodeConfiguration
            .FromFiles(Directory.GetCurrentDirectory())
            .Select(pair => (Key: pair.Key.Replace(":", "__", StringComparison.Ordinal), pair.Value, Name: pair.Key))
            .Where(pair =>
                !NotPassedOn.Contains(pair.Name, StringComparer.OrdinalIgnoreCase)
                && Environment.GetEnvironmentVariable(pair.Key) is null
            )
            .Select(pair => (pair.Key, pair.Value));

    private static async Task<IReadOnlyList<(string, string)>> LinksAsync(
        MachinePlan plan,
        IReadOnlyList<ProcessDescription> processes,
        CancellationToken cancellationToken
    )
    {
        if (processes.FirstOrDefault(process => process.Kind.Is(GalaxyServices.Gateway)) is not { } gateway)
            return [];
        var host = plan.Host.Contains(':', StringComparison.Ordinal) ? $"[{plan.Host}]" : plan.Host;
        string Public(string endpoint) =>
            gateway
                .Endpoints.First(bound => bound.Name == endpoint)
                .Url.Replace("127.0.0.1", host, StringComparison.Ordinal);
        var api = gateway.Endpoints.First(bound => bound.Name == "api").Url;
        return
        [
            (
                "Console (one-time link)",
                $"{Public("ui")}/sign-in/link?code={SignInLink.Mint(plan.Node.ApiKey!, DateTimeOffset.UtcNow)}"
            ),
            ("API", Public("api")),
            ("Sockets (MASTER_URL of workers)", Public("ws").Replace("http:", "ws:", StringComparison.Ordinal)),
            ("Leader", await LeaderQuestion.AskAsync(api, plan.Node.ApiKey!, cancellationToken)),
        ];
    }
}
