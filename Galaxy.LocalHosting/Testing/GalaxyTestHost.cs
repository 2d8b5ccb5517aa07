using System.Reflection;
using Galaxy.LocalHosting.Running;

namespace Galaxy.LocalHosting.Testing;

/// <summary>
/// Starts an AppHost's own <c>Program.cs</c> inside a test, with handles to kill, pause and restart each resource.
/// </summary>
public sealed class GalaxyTestHost : IAsyncDisposable
{
    private static readonly AsyncLocal<GalaxyTestHost?> Present = new();
    private readonly TaskCompletionSource<DistributedApplication> _built = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _run = Task.CompletedTask;

    private GalaxyTestHost(Assembly assembly) => Assembly = assembly;

    internal static GalaxyTestHost? Current => Present.Value;

    internal Assembly Assembly { get; }

    private Runner Runner => _built.Task.Result.Runner;

    /// <summary>Runs the entry point of <paramref name="appHost"/> with <paramref name="args"/>; returns when everything is healthy.</summary>
    /// <exception cref="RunnerException">A resource could not be started.</exception>
    /// <exception cref="TimeoutException">Not healthy within <paramref name="patience"/>.</exception>
    public static async Task<GalaxyTestHost> StartAsync(Assembly appHost, string[] args, TimeSpan patience)
    {
        var entry = appHost.EntryPoint ?? throw new ArgumentException($"{appHost.GetName().Name} has no entry point.", nameof(appHost));
        var host = new GalaxyTestHost(appHost);
        host._run = Task.Run(() =>
        {
            Present.Value = host;
            try
            {
                entry.Invoke(null, [args]);
            }
            catch (TargetInvocationException failure)
            {
                host._built.TrySetException(failure.InnerException ?? failure);
            }
        });
        var application = await host._built.Task.WaitAsync(patience);
        await application.Runner.Started.WaitAsync(patience);
        return host;
    }

    internal void Attach(DistributedApplication application) => _built.TrySetResult(application);

    /// <summary>The address of an endpoint, for instance <c>Url("gateway", "api")</c>.</summary>
    public Uri Url(string resource, string endpoint) =>
        new(Runner[resource].Resource.Endpoints.Find(e => e.Name == endpoint)?.Url ?? throw new RunnerException($"'{resource}' has no endpoint '{endpoint}'."));

    /// <summary>The value of a parameter, for instance the key.</summary>
    public string Parameter(string name) => Runner.ParameterValue(name);

    /// <summary>Everything that runs here, by name.</summary>
    public IReadOnlyList<string> Resources => [.. Runner.Processes.Select(process => process.Resource.Name)];

    /// <summary>Null while the process does not run.</summary>
    public int? ProcessId(string resource) => Runner[resource].ProcessId;

    public ResourceState State(string resource) => Runner[resource].State;

    public int Restarts(string resource) => Runner[resource].Restarts;

    /// <summary>The last lines that the resource wrote.</summary>
    public IReadOnlyList<string> Output(string resource) => Runner[resource].Lines;

    /// <summary>SIGKILL; the runner starts it again.</summary>
    public void Kill(string resource) => Runner[resource].Signal(Signals.Kill);

    /// <summary>SIGSTOP.</summary>
    public void Pause(string resource) => Runner[resource].Signal(Signals.Stop);

    /// <summary>SIGCONT.</summary>
    public void Continue(string resource) => Runner[resource].Signal(Signals.Continue);

    public Task StopAsync(string resource) => Runner[resource].StopAsync(TimeSpan.FromSeconds(5));

    /// <summary>From its next start on, the resource is of this version, whatever <c>--programs</c> said.</summary>
    public void Upgrade(string resource) => Runner[resource].Resource.Programs = null;

    /// <summary>From its next start on, the resource is told this instead of what its model says.</summary>
    public void SetEnvironment(string resource, string name, string value) => Runner[resource].Resource.Environment.Add((name, () => value));

    public void Start(string resource) => Runner[resource].Start();

    public async ValueTask DisposeAsync()
    {
        if (_built.Task.IsCompletedSuccessfully)
            Runner.RequestStop();
        await _run;
    }
}
