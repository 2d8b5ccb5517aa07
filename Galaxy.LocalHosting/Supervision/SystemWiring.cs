using System.Globalization;
using System.Security.Cryptography;
using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;

namespace Galaxy.LocalHosting.Supervision;

/// <summary>
/// Turns the services of a system into processes: gives out ports and tells each service what its kind refers to.
/// </summary>
public sealed class SystemWiring(IReadOnlyList<ServiceInstance> services, ProgramFolder programs)
{
    private readonly string _telemetryToken = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>The port of an endpoint; null: any free one.</summary>
    public required Func<EndpointDescription, int?> Port { get; init; }

    /// <summary><c>Development</c> or <c>Production</c>.</summary>
    public required string EnvironmentName { get; init; }

    /// <summary>The connection strings of the stores; null: those of the store services.</summary>
    public IReadOnlyList<(string Name, string Value)>? ConnectionStrings { get; init; }

    /// <exception cref="PortTakenException">A fixed port is taken.</exception>
    public IReadOnlyList<ProcessDescription> Wire()
    {
        var requests = services
            .SelectMany(service =>
                service.Kind.Endpoints.Select(endpoint =>
                    (
                        service,
                        endpoint,
                        Request: new PortRequest(
                            service.Name,
                            endpoint.Name,
                            Port(endpoint),
                            endpoint.IsPublic ? endpoint.Variable : null
                        )
                    )
                )
            )
            .ToList();
        var ports = LocalPorts.Allocate(requests.Select(request => request.Request));
        var bound = services.ToDictionary(
            service => service,
            IReadOnlyList<BoundEndpoint> (service) =>
                [
                    .. requests
                        .Where(request => request.service == service)
                        .Select(request => new BoundEndpoint(request.endpoint, ports[request.Request])),
                ]
        );
        return [.. services.Select(service => Describe(service, bound))];
    }

    private ProcessDescription Describe(
        ServiceInstance service,
        Dictionary<ServiceInstance, IReadOnlyList<BoundEndpoint>> bound
    ) =>
        new()
        {
            Name = service.Name,
            Kind = service.Kind,
            Program = service.ForeignProgram ?? programs.Program(service.Kind),
            WorkingDirectory = service.ForeignProgram is null
                ? programs.WorkingDirectory(service.Kind)
                : Path.GetTempPath(),
            FollowsSupervisor = service.ForeignProgram is null,
            Arguments = service.Arguments(bound[service]),
            Endpoints = bound[service],
            WaitsFor =
            [
                .. services.Where(other => service.Kind.WaitsFor.Contains(other.Kind.Name)).Select(other => other.Name),
            ],
            Environment =
            [
                .. Framework(service, bound),
                .. Ports(bound[service]),
                .. References(service, bound),
                .. service.Environment,
            ],
        };

    private IEnumerable<(string, string?)> Framework(
        ServiceInstance service,
        Dictionary<ServiceInstance, IReadOnlyList<BoundEndpoint>> bound
    )
    {
        if (service.Kind.Is(GalaxyServices.Store))
            yield break;
        yield return ("ASPNETCORE_ENVIRONMENT", EnvironmentName);
        yield return ("DOTNET_ENVIRONMENT", EnvironmentName);
        yield return ("OTEL_SERVICE_NAME", service.Name);
        foreach (var (name, value) in ServiceEnvironment.TelemetryPace)
            yield return (name, value);
        if (bound.FirstOrDefault(other => other.Key.Kind.Is(GalaxyServices.Console)).Value is not { } console)
            yield break;
        yield return (ServiceEnvironment.ConsoleTelemetry, console.First(endpoint => endpoint.Name == "otlp-grpc").Url);
        yield return (ServiceEnvironment.ConsoleTelemetryToken, _telemetryToken);
    }

    private static IEnumerable<(string, string?)> Ports(IReadOnlyList<BoundEndpoint> endpoints)
    {
        foreach (var endpoint in endpoints.Where(endpoint => endpoint.Endpoint.Scheme == "http"))
        {
            yield return endpoint.Endpoint.Variable is { } variable
                ? (variable, endpoint.Port.ToString(CultureInfo.InvariantCulture))
                : ("ASPNETCORE_URLS", endpoint.Url);
        }
    }

    private IEnumerable<(string, string?)> References(
        ServiceInstance service,
        Dictionary<ServiceInstance, IReadOnlyList<BoundEndpoint>> bound
    )
    {
        foreach (var reference in service.Kind.References)
        {
            foreach (
                var (other, endpoints) in bound.Where(other =>
                    other.Key.Kind.Name == reference.Kind && other.Key != service
                )
            )
            {
                foreach (
                    var endpoint in endpoints.Where(endpoint =>
                        reference.Endpoint is null || endpoint.Name == reference.Endpoint
                    )
                )
                    yield return ($"services__{other.Name}__{endpoint.Name}__0", endpoint.Url);
            }
        }
        if (service.Kind.UsesStores)
        {
            foreach (var (name, value) in ConnectionStrings ?? StoresOf(bound))
                yield return ($"ConnectionStrings__{name}", value);
        }
        if (
            service.Kind.Is(GalaxyServices.Worker)
            && bound.FirstOrDefault(other => other.Key.Kind.Is(GalaxyServices.Gateway)).Value is { } gateway
        )
            yield return (ServiceEnvironment.MasterUrl, gateway.First(endpoint => endpoint.Name == "ws").Url);
    }

    private static IReadOnlyList<(string, string)> StoresOf(
        Dictionary<ServiceInstance, IReadOnlyList<BoundEndpoint>> bound
    ) =>
        [
            .. bound
                .Where(other => other.Key.Kind.Is(GalaxyServices.Store))
                .Select(store => (store.Key.Name, $"127.0.0.1:{store.Value[0].Port}")),
        ];
}
