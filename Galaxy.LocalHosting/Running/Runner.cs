using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;

namespace Galaxy.LocalHosting.Running;

/// <summary>Runs a described application: ports, start in dependency order, health, the table, and an orderly end.</summary>
internal sealed class Runner : IAsyncDisposable
{
    private static readonly TimeSpan StopBudget = TimeSpan.FromSeconds(9);

    private readonly IReadOnlyList<IResource> _resources;
    private readonly List<ResourceProcess> _processes;
    private readonly IConfiguration _configuration;
    private readonly RunnerConsole _console;
    private readonly ProcessSpawner _spawner = new();
    private readonly string _dataFolder;
    private readonly string _environmentName;
    private readonly string _otlpToken = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Runner(IReadOnlyList<IResource> resources, IConfiguration configuration, string dataFolder, string environmentName)
    {
        (_resources, _configuration, _dataFolder, _environmentName) = (resources, configuration, dataFolder, environmentName);
        var processes = resources.OfType<ProcessResource>().Where(resource => resource is not RedisResource { Choice.Address: not null }).ToList();
        // An upgrade is rehearsed from the programs of the version before: --programs folder.
        foreach (var process in processes.Where(process => process is not ExecutableResource))
            process.Programs = configuration["programs"];
        _console = new RunnerConsole(configuration["quiet"] == "true", processes.Count == 0 ? 0 : processes.Max(resource => resource.Name.Length));
        _processes = [.. processes.Select(resource => new ResourceProcess(resource, _spawner, () => EnvironmentOf(resource), _console))];
    }

    public IReadOnlyList<ResourceProcess> Processes => _processes;

    public string DataFolder => _dataFolder;

    /// <summary>Completes when everything is healthy.</summary>
    public Task Started => _started.Task;

    public ResourceProcess this[string name] =>
        _processes.Find(process => process.Resource.Name == name) ?? throw new RunnerException($"There is no resource '{name}'.");

    public string ParameterValue(string name) =>
        _resources.OfType<ParameterResource>().FirstOrDefault(parameter => parameter.Name == name)?.Value ?? throw new RunnerException($"There is no parameter '{name}'.");

    public void RequestStop() => _stopping.Cancel();

    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        using var linked = cancellation.Register(_stopping.Cancel);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        RunnerApi? api = null;
        try
        {
            Directory.CreateDirectory(_dataFolder);
            PortAllocator.Allocate([.. _processes.Select(process => process.Resource)]);
            api = await RunnerApi.StartAsync(this, _dataFolder);
            var started = Stopwatch.GetTimestamp();
            await StartAllAsync();
            _started.TrySetResult();
            var took = Stopwatch.GetElapsedTime(started);
            var leader = await LeaderQuestion.AskAsync(_processes, _resources, _stopping.Token);
            StartTable.Print(_console, _processes, leader, took);
            using var orphaned = ParentWatch.Start(_stopping.Cancel);
            await Task.Delay(Timeout.InfiniteTimeSpan, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return 0;
        }
        catch (Exception failure) when (failure is PortTakenException or RunnerException)
        {
            _started.TrySetException(failure);
            await Console.Error.WriteLineAsync("error: " + failure.Message);
            return 3;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        finally
        {
            _started.TrySetCanceled(CancellationToken.None);
            await StopAllAsync();
            if (api is not null)
                await api.DisposeAsync();
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            _stopping.Cancel();
        }
    }

    private async Task StartAllAsync()
    {
        var wanted = _processes.Where(process => !process.Resource.ExplicitStart).ToList();
        _console.Say($"Starting {wanted.Count} resource{(wanted.Count == 1 ? "" : "s")} …");
        var starts = wanted.Select(StartAsync).ToList();
        // The first failure ends the wait: what depends on it would never come.
        await foreach (var next in Task.WhenEach(starts).WithCancellation(_stopping.Token))
            await next;

        async Task StartAsync(ResourceProcess process)
        {
            foreach (var dependency in process.Resource.Dependencies)
            {
                if (_processes.Find(other => other.Resource == dependency) is { } other)
                    await other.Healthy.WaitAsync(_stopping.Token);
            }
            process.Start();
            await process.Healthy.WaitAsync(_stopping.Token);
        }
    }

    private async Task StopAllAsync()
    {
        var running = _processes.Where(process => process.ProcessId is not null).ToList();
        if (running.Count == 0)
            return;
        _console.Say($"Stopping {running.Count} resource{(running.Count == 1 ? "" : "s")} …");
        var levels = running.GroupBy(Depth).OrderByDescending(level => level.Key).ToList();
        var patience = StopBudget / levels.Count;
        foreach (var level in levels)
            await Task.WhenAll(level.Select(process => process.StopAsync(patience)));
        // Whatever was restarting or refused to go.
        await Task.WhenAll(_processes.Select(process => process.StopAsync(TimeSpan.FromMilliseconds(200))));
        _console.Say($"Stopped.");
    }

    private int Depth(ResourceProcess process) => process.Resource.Dependencies
        .Select(dependency => _processes.Find(other => other.Resource == dependency)).OfType<ResourceProcess>()
        .Select(other => Depth(other) + 1).DefaultIfEmpty(0).Max();

    private IEnumerable<(string Name, string? Value)> EnvironmentOf(ProcessResource resource)
    {
        if (resource is ProjectResource)
        {
            yield return ("ASPNETCORE_ENVIRONMENT", _environmentName);
            yield return ("DOTNET_ENVIRONMENT", _environmentName);
            yield return ("OTEL_SERVICE_NAME", resource.Name);
            yield return ("OTEL_RESOURCE_ATTRIBUTES", $"service.instance.id={resource.Name}");
            yield return ("OTEL_BSP_SCHEDULE_DELAY", "1000");
            yield return ("OTEL_BLRP_SCHEDULE_DELAY", "1000");
            yield return ("OTEL_METRIC_EXPORT_INTERVAL", "30000");
            if (OtlpEndpoint() is { } otlp)
            {
                yield return ("OTEL_EXPORTER_OTLP_ENDPOINT", Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") ?? otlp.Url);
                yield return ("OTEL_EXPORTER_OTLP_PROTOCOL", Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_PROTOCOL") ?? "grpc");
                yield return ("OTEL_EXPORTER_OTLP_HEADERS", Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_HEADERS") ?? "x-otlp-api-key=" + _otlpToken);
                yield return ("GALAXY_OTLP_TOKEN", _otlpToken);
            }
            if (resource.Endpoints.Find(endpoint => endpoint is { Scheme: "http", Variable: null }) is { } http)
                yield return ("ASPNETCORE_URLS", http.Url);
        }
        foreach (var endpoint in resource.Endpoints.Where(endpoint => endpoint.Variable is not null))
            yield return (endpoint.Variable!, endpoint.AllocatedPort.ToString(System.Globalization.CultureInfo.InvariantCulture));
        foreach (var (name, value) in resource.Environment)
            yield return (name, value());
    }

    private EndpointAnnotation? OtlpEndpoint() => _processes.SelectMany(process => process.Resource.Endpoints).FirstOrDefault(endpoint => endpoint.Name == "otlp-grpc");

    public async ValueTask DisposeAsync()
    {
        await StopAllAsync();
        _spawner.Dispose();
        _stopping.Dispose();
    }
}
