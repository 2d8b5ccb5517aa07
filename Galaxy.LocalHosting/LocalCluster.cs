using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;
using Galaxy.LocalHosting.Supervision;

namespace Galaxy.LocalHosting;

/// <summary>
/// The development system under the supervisor instead of Aspire, for tests and benchmarks: the same services as the
/// AppHost's, with handles to kill, pause, stop and restart each one.
/// </summary>
public sealed class LocalCluster : IAsyncDisposable
{
    private readonly Supervisor _supervisor;
    private readonly Task _run;
    private readonly ProgramFolder _built;

    private LocalCluster(Supervisor supervisor, Task run, ProgramFolder built, string key) =>
        (_supervisor, _run, _built, Key) = (supervisor, run, built, key);

    /// <summary>The key of the cluster.</summary>
    public string Key { get; }

    /// <summary>Starts the system; returns when everything is healthy.</summary>
    /// <param name="arguments">As the AppHost takes them.</param>
    /// <exception cref="SystemOptionException">An option is not allowed.</exception>
    /// <exception cref="SupervisorException">A process could not be started.</exception>
    /// <exception cref="TimeoutException">Not healthy within <paramref name="timeout"/>.</exception>
    public static async Task<LocalCluster> StartAsync(IReadOnlyList<string> arguments, TimeSpan timeout)
    {
        var options = SystemOptionsParser.Parse(arguments);
        var built = ProgramFolder.Beside(AppContext.BaseDirectory)
            ?? throw new SupervisorException("The services are not built. Run 'dotnet build Galaxy.sln'.");
        var repository = Repository.FindAbove(AppContext.BaseDirectory)!;
        var data = DataFolder.Find(options.Setting(ServiceEnvironment.Data), repository);
        DataFolder.Prepare(data);
        var key = options.Setting(ServiceEnvironment.ApiKey) ?? DataFolder.ReadOrCreateKey(data);
        var supervisor = new Supervisor(Describe(options, built, data, key), data, quiet: true);
        var cluster = new LocalCluster(
            supervisor,
            Task.Run(() => supervisor.RunAsync(CancellationToken.None)),
            built,
            key
        );
        try
        {
            await supervisor.Started.WaitAsync(timeout);
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
        return cluster;
    }

    private static IReadOnlyList<ProcessDescription> Describe(
        SystemOptions options,
        ProgramFolder built,
        string data,
        string key
    )
    {
        var layout = options.Layout;
        var isServer = options.Store.Kind == StoreKind.Server;
        var services = new List<ServiceInstance>();
        if (options.Store.Kind != StoreKind.Address)
            services.AddRange(layout.Stores.Select(Store));
        services.Add(Node(GalaxyServices.Console, "console"));
        services.AddRange(
            layout.Coordinators.Select(coordinator => Node(GalaxyServices.Coordinator, coordinator.Name))
        );
        services.AddRange(layout.Routers.Select(name => Node(GalaxyServices.Router, name)));
        services.AddRange(layout.OneApis.Select(name => Node(GalaxyServices.OneApi, name)));
        services.Add(Node(GalaxyServices.Gateway, "gateway"));
        services.Add(Node(GalaxyServices.Discovery, "discovery"));
        services.AddRange(
            layout.Workers.Select(name =>
                Node(GalaxyServices.Worker, name) with
                {
                    Arguments = _ => ServiceEnvironment.WorkerArguments(name),
                }
            )
        );
        return new SystemWiring(services, options.Programs is { } other ? ProgramFolder.Published(other) : built)
        {
            Port = options.Port,
            EnvironmentName = "Development",
            ConnectionStrings = options.Store.Address is { } address ? [(SystemLayout.FirstStore, address)] : null,
        }.Wire();

        ServiceInstance Node(ServiceKind kind, string name) =>
            new(kind, name)
            {
                Environment =
                [
                    .. options.ServiceSettings.Select(setting => (setting.Key, (string?)setting.Value)),
                    (ServiceEnvironment.ApiKey, key),
                    .. ServiceEnvironment
                        .InDevelopment(kind, name, data, layout)
                        .Select(variable => (variable.Name, (string?)variable.Value)),
                ],
            };

        ServiceInstance Store(string name)
        {
            var folder = ServiceEnvironment.StoreFolder(data, name, isServer);
            Directory.CreateDirectory(folder);
            return new(GalaxyServices.Store, name)
            {
                ForeignProgram = isServer ? "redis-server" : null,
                Arguments = endpoints =>
                    isServer
                        ? ServiceEnvironment.RedisServerArguments(endpoints[0].Port, folder)
                        : ServiceEnvironment.StoreArguments(endpoints[0].Port, folder),
            };
        }
    }

    /// <summary>The address of an endpoint, for instance <c>Url("gateway", "api")</c>.</summary>
    public Uri Url(string process, string endpoint) =>
        new(
            _supervisor[process].Description.Endpoints.FirstOrDefault(bound => bound.Name == endpoint)?.Url
                ?? throw new SupervisorException($"'{process}' has no endpoint '{endpoint}'.")
        );

    /// <summary>Everything that runs here, by name.</summary>
    public IReadOnlyList<string> Names => [.. _supervisor.Processes.Select(process => process.Name)];

    /// <summary>Null while the process does not run.</summary>
    public int? ProcessId(string process) => _supervisor[process].ProcessId;

    public ProcessState State(string process) => _supervisor[process].State;

    public int Restarts(string process) => _supervisor[process].Restarts;

    /// <summary>The last lines that the process wrote.</summary>
    public IReadOnlyList<string> Output(string process) => _supervisor[process].Lines;

    /// <summary>The variables that the process is started with.</summary>
    public IReadOnlyDictionary<string, string?> Environment(string process)
    {
        var variables = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in _supervisor[process].Description.Environment)
            variables[name] = value;
        return variables;
    }

    /// <summary>SIGKILL; the supervisor starts it again.</summary>
    public void Kill(string process) => _supervisor[process].Signal(Signals.Kill);

    /// <summary>SIGSTOP.</summary>
    public void Pause(string process) => _supervisor[process].Signal(Signals.Stop);

    /// <summary>SIGCONT.</summary>
    public void Continue(string process) => _supervisor[process].Signal(Signals.Continue);

    public Task StopAsync(string process) => _supervisor[process].StopAsync(TimeSpan.FromSeconds(5));

    /// <summary>From its next start on, the process runs the built program, whatever <c>--programs</c> said.</summary>
    public void Upgrade(string process) =>
        _supervisor[process]
            .Change(description =>
                description with
                {
                    Program = _built.Program(description.Kind),
                    WorkingDirectory = _built.WorkingDirectory(description.Kind),
                }
            );

    /// <summary>From its next start on, the process is told this.</summary>
    public void SetEnvironment(string process, string name, string value) =>
        _supervisor[process]
            .Change(description => description with { Environment = [.. description.Environment, (name, value)] });

    public void Start(string process) => _supervisor[process].Start();

    public async ValueTask DisposeAsync()
    {
        _supervisor.RequestStop();
        await _run;
        await _supervisor.DisposeAsync();
    }
}
