using System.Globalization;
using Galaxy.AppHost.Commands;
using Galaxy.AppHost.Restarts;
using Galaxy.LocalHosting.Description;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Galaxy.AppHost.Resources;

/// <summary>
/// Adds the resources of Galaxy to an Aspire application, as <see cref="GalaxyServices"/> describes them.
/// </summary>
internal sealed class GalaxyBuilder
{
    private readonly IDistributedApplicationBuilder _builder;
    private readonly SystemOptions _options;
    private readonly string _data;
    private readonly string _key;
    private readonly ProgramFolder _programs;
    private readonly IResourceBuilder<ParameterResource> _keyParameter;
    private readonly IReadOnlyDictionary<(string Resource, string Endpoint), int> _ports;
    private readonly TelemetryReceiver _console;

    public GalaxyBuilder(
        IDistributedApplicationBuilder builder,
        SystemOptions options,
        string data,
        string key,
        ProgramFolder programs
    )
    {
        (_builder, _options, _data, _key, _programs) = (builder, options, data, key, programs);
        _ports = IsPublishing ? new Dictionary<(string, string), int>() : PortPlan.Make(options);
        _keyParameter = builder
            .AddParameter("api-key", () => key, secret: true)
            .WithDescription("The cluster's key: every client and every service presents it or a token made of it.");
        ProviderKeys = [.. ProviderParameters.Add(builder, options)];
        _console = new TelemetryReceiver(IsPublishing ? null : _ports[("console", "otlp-grpc")]);
        builder.Services.AddSingleton(
            new ApiAddress(IsPublishing ? "" : $"http://127.0.0.1:{_ports[("gateway", "api")]}", key)
        );
    }

    public SystemLayout Layout => _options.Layout;

    /// <summary>The environment variable and the parameter of each model provider's key.</summary>
    public IReadOnlyList<(string Variable, IResourceBuilder<ParameterResource> Parameter)> ProviderKeys { get; }

    private bool IsPublishing => _builder.ExecutionContext.IsPublishMode;

    public IResourceBuilder<IResourceWithConnectionString> AddGalaxyStore(string name)
    {
        var kind = _options.Store.Kind;
        if (kind == StoreKind.Address)
        {
            _builder.Configuration["ConnectionStrings:" + name] = _options.Store.Address;
            return _builder.AddConnectionString(name);
        }
        // The embedded store of a published system would be one more project; a container of Redis is what every
        // platform runs.
        if (kind == StoreKind.Container || IsPublishing)
            return _builder.AddRedis(name).WithDataVolume().WithPersistence();
        var isServer = kind == StoreKind.Server;
        var folder = ServiceEnvironment.StoreFolder(_data, name, isServer);
        Directory.CreateDirectory(folder);
        var port = _ports[(name, "tcp")];
        var store = _builder
            .AddResource(
                new GalaxyStoreResource(
                    name,
                    isServer ? "redis-server" : _programs.Program(GalaxyServices.Store),
                    isServer ? folder : _programs.WorkingDirectory(GalaxyServices.Store)
                )
            )
            .WithArgs(
                isServer
                    ? [.. ServiceEnvironment.RedisServerArguments(port, folder)]
                    : [.. ServiceEnvironment.StoreArguments(port, folder)]
            )
            .WithEndpoint(port: port, targetPort: port, scheme: "tcp", name: "tcp", isProxied: false)
            .WithEndpoint("tcp", endpoint => endpoint.TargetHost = "127.0.0.1")
            .WithEnvironment("GALAXY_HOST_PID", Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
            .WithIconName("DatabaseLightning")
            .WithRestartPolicy()
            .WithProcessCommands();
        _builder.Services.AddHealthChecks().AddCheck(name + "_ping", new StorePing(port));
        return store.WithHealthCheck(name + "_ping");
    }

    public GalaxyService AddConsole(string name) =>
        Add<Projects.Galaxy_Console>(GalaxyServices.Console, name, "DesktopPulse");

    public GalaxyService AddCoordinator(string name)
    {
        var coordinator = Add<Projects.Galaxy_Coordinator>(GalaxyServices.Coordinator, name, "Crown");
        coordinator.Resource.WithCoordinatorCommands();
        return coordinator;
    }

    public GalaxyService AddRouter(string name) =>
        Add<Projects.Galaxy_Router>(GalaxyServices.Router, name, "ArrowRouting");

    public GalaxyService AddOneApi(string name) =>
        Add<Projects.Galaxy_OneApi>(GalaxyServices.OneApi, name, "BrainCircuit");

    public GalaxyService AddDiscovery(string name) =>
        Add<Projects.Galaxy_Discovery>(GalaxyServices.Discovery, name, "Radar");

    public GalaxyService AddGateway(string name)
    {
        var gateway = Add<Projects.Galaxy_Gateway>(GalaxyServices.Gateway, name, "DoorArrowRight");
        gateway
            .Resource.WithUrlForEndpoint("ui", url =>
                Show(url, SignInUrl(url.Url), "Console (one-time link)", order: 3)
            )
            .WithUrlForEndpoint("api", url => Show(url, url.Url, "API", order: 2))
            .WithUrlForEndpoint("ws", url =>
                Show(url, url.Url.Replace("http:", "ws:", StringComparison.Ordinal), "Devices (WebSocket)", order: 1)
            );
        ((IResourceBuilder<IResourceWithEndpoints>)gateway.Resource).WithExternalHttpEndpoints();
        return gateway;
    }

    public GalaxyService AddWorker(string name)
    {
        var worker = Add<Projects.Galaxy_Cli>(GalaxyServices.Worker, name, "Laptop");
        ((IResourceBuilder<IResourceWithArgs>)worker.Resource).WithArgs([.. ServiceEnvironment.WorkerArguments(name)]);
        return worker;
    }

    /// <summary>A link that signs in to the console once.</summary>
    public string SignInUrl(string console) =>
        $"{console}/sign-in/link?code={SignInLink.Mint(_key, DateTimeOffset.UtcNow)}";

    private GalaxyService Add<TProject>(ServiceKind kind, string name, string icon)
        where TProject : IProjectMetadata, new()
    {
        IResourceBuilder<IResourceWithEnvironment> resource = IsPublishing
            ? AddProject<TProject>(kind, name)
            : AddProgram(kind, name).WithIconName(icon).WithRestartPolicy().WithProcessCommands();
        resource.WithEnvironment(ServiceEnvironment.ApiKey, _keyParameter);
        foreach (var (variable, value) in _options.ServiceSettings)
            resource.WithEnvironment(variable, value);
        return new GalaxyService(this, kind, resource);
    }

    private IResourceBuilder<GalaxyServiceResource> AddProgram(ServiceKind kind, string name)
    {
        var resource = _builder
            .AddResource(new GalaxyServiceResource(name, _programs.Program(kind), _programs.WorkingDirectory(kind)))
            .WithOtlpExporter()
            .WithEnvironment("ASPNETCORE_ENVIRONMENT", "Development")
            .WithEnvironment("DOTNET_ENVIRONMENT", "Development")
            .WithEnvironment("GALAXY_HOST_PID", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        foreach (
            var (variable, value) in (IEnumerable<(string, string)>)
                [
                    .. ServiceEnvironment.TelemetryPace,
                    .. _console.Environment,
                    .. ServiceEnvironment.InDevelopment(kind, name, _data, Layout),
                ]
        )
            resource.WithEnvironment(variable, value);
        foreach (var endpoint in kind.Endpoints)
        {
            var port = _ports[(name, endpoint.Name)];
            // Without a proxy in between: a killed service is seen as a closed connection, at once.
            resource
                .WithEndpoint(
                    port: port,
                    targetPort: port,
                    scheme: endpoint.Scheme,
                    name: endpoint.Name,
                    env: endpoint.Variable,
                    isProxied: false
                )
                .WithEndpoint(endpoint.Name, annotation =>
                    (annotation.TargetHost, annotation.Transport) = (
                        "127.0.0.1",
                        endpoint.IsHttp2 ? "http2" : annotation.Transport
                    )
                );
            if (endpoint.Variable is null)
                resource.WithEnvironment(
                    "ASPNETCORE_URLS",
                    string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")
                );
        }
        NameUrls(resource, kind);
        return kind.HealthPath is { } path
            ? resource.WithHttpHealthCheck(path, endpointName: kind.Endpoints[0].Name)
            : resource;
    }

    private static void Show(ResourceUrlAnnotation url, string address, string text, int order)
    {
        (url.Url, url.DisplayText) = (address, text);
#pragma warning disable CS0618 // The order will become a property of the same name; there is no other way to put the console first.
        url.DisplayOrder = order;
#pragma warning restore CS0618
    }

    // The table shows only addresses that a browser can open.
    private static void NameUrls(IResourceBuilder<GalaxyServiceResource> resource, ServiceKind kind)
    {
        foreach (var endpoint in kind.Endpoints)
        {
            resource.WithUrlForEndpoint(endpoint.Name, url =>
            {
                url.DisplayText = endpoint.Name switch
                {
                    "http" => "HTTP",
                    "grpc" => "gRPC",
                    "otlp-grpc" => "OTLP gRPC",
                    "otlp-http" => "OTLP HTTP",
                    var name => name,
                };
                url.DisplayLocation = endpoint.Name is "http" or "ui" or "api" or "ws"
                    ? UrlDisplayLocation.SummaryAndDetails
                    : UrlDisplayLocation.DetailsOnly;
            });
        }
    }

    private IResourceBuilder<ProjectResource> AddProject<TProject>(ServiceKind kind, string name)
        where TProject : IProjectMetadata, new()
    {
        var project = _builder.AddProject<TProject>(name, project => project.ExcludeLaunchProfile = true);
        foreach (var endpoint in kind.Endpoints)
        {
            project.WithEndpoint(
                port: endpoint.IsPublic ? endpoint.Port : null,
                scheme: endpoint.Scheme,
                name: endpoint.Name,
                env: endpoint.Variable,
                isProxied: !endpoint.IsPublic
            );
            if (endpoint.IsHttp2)
                project.WithEndpoint(endpoint.Name, annotation => annotation.Transport = "http2");
        }
        foreach (var (variable, value) in ServiceEnvironment.InDevelopment(kind, name, "/data", Layout))
            project.WithEnvironment(variable, Published(variable, value));
        return kind.HealthPath is { } path
            ? project.WithHttpHealthCheck(path, endpointName: kind.Endpoints[0].Name)
            : project;
    }

    // A container has its addresses and its data to itself; nothing starts and stops its neighbours.
    private static string? Published(string variable, string value) =>
        variable switch
        {
            ServiceEnvironment.Bind => "*",
            ServiceEnvironment.Data => "/data",
            ServiceEnvironment.ControlFile => null,
            _ => value,
        };
}
