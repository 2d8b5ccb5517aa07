using System.Diagnostics;
using System.Runtime.InteropServices;
using Galaxy.LocalHosting.Control;
using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;

namespace Galaxy.LocalHosting.Supervision;

/// <summary>
/// Runs the processes of a system: starts them in order, restarts what dies, and stops them in reverse order.
/// Thread-safe.
/// </summary>
public sealed class Supervisor : IProcessControl, IAsyncDisposable
{
    private static readonly TimeSpan StopBudget = TimeSpan.FromSeconds(9);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly List<SupervisedProcess> _processes;
    private readonly SupervisorConsole _console;
    private readonly ProcessSpawner _spawner = new();
    private readonly string _dataFolder;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="quiet">Whether the lines of the processes stay off the console.</param>
    public Supervisor(IReadOnlyList<ProcessDescription> processes, string dataFolder, bool quiet)
    {
        _dataFolder = dataFolder;
        _console = new SupervisorConsole(quiet, processes.Max(process => (int?)process.Name.Length) ?? 0);
        _processes =
        [
            .. processes.Select(process => new SupervisedProcess(process, _spawner, _console, TimeProvider.System)),
        ];
    }

    /// <summary>Completes when every process is healthy.</summary>
    public Task Started => _started.Task;

    /// <summary>The addresses that the user is shown when everything is up.</summary>
    public Func<CancellationToken, Task<IReadOnlyList<(string Text, string Url)>>> Links { get; init; } =
        _ => Task.FromResult<IReadOnlyList<(string, string)>>([]);

    internal IReadOnlyList<SupervisedProcess> Processes => _processes;

    internal SupervisedProcess this[string name] =>
        Find(name) ?? throw new SupervisorException($"There is no process '{name}'.");

    public void RequestStop() => _stopping.Cancel();

    /// <summary>
    /// Runs until Ctrl-C, SIGTERM, <see cref="RequestStop"/> or a failed start; returns the exit code.
    /// </summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var linked = cancellationToken.Register(_stopping.Cancel);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        ControlApi? api = null;
        try
        {
            DataFolder.Prepare(_dataFolder);
            using var claim = DataFolderLock.Acquire(_dataFolder);
            api = await ControlApi.StartAsync(this, _dataFolder, _stopping.Token);
            var started = Stopwatch.GetTimestamp();
            await StartAllAsync();
            _started.TrySetResult();
            var took = Stopwatch.GetElapsedTime(started);
            StartReport.Print(_console, _processes, await Links(_stopping.Token), took);
            using var orphaned = ParentWatch.Start(_stopping.Cancel);
            await Task.Delay(Timeout.InfiniteTimeSpan, _stopping.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return 0;
        }
        catch (Exception failure) when (failure is SupervisorException or SystemOptionException or AlreadyRunsException)
        {
            _started.TrySetException(failure);
            await Console.Error.WriteLineAsync("error: " + failure.Message);
            return PortTakenException.ExitCode;
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
            try
            {
                _stopping.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // Another handler of the same signal has ended the run before this one was called.
            }
        }
    }

    IReadOnlyList<ProcessStatus> IProcessControl.List() =>
        [
            .. _processes.Select(process => new ProcessStatus(
                process.Name,
                process.State.ToString().ToLowerInvariant(),
                process.ProcessId,
                process.Restarts,
                process.Description.Endpoints.ToDictionary(endpoint => endpoint.Name, endpoint => endpoint.Url)
            )),
        ];

    IReadOnlyList<string>? IProcessControl.Output(string name) => Find(name)?.Lines;

    Task<bool> IProcessControl.StartAsync(string name, CancellationToken cancellationToken)
    {
        Find(name)?.Start();
        return Task.FromResult(Find(name) is not null);
    }

    async Task<bool> IProcessControl.StopAsync(string name, CancellationToken cancellationToken)
    {
        if (Find(name) is not { } process)
            return false;
        await process.StopAsync(StopTimeout);
        return true;
    }

    int? IProcessControl.Kill(string name)
    {
        if (Find(name) is not { } process)
            return null;
        var pid = process.ProcessId ?? 0;
        process.Signal(Signals.Kill);
        return pid;
    }

    private SupervisedProcess? Find(string name) => _processes.Find(process => process.Name == name);

    private async Task StartAllAsync()
    {
        _console.Say($"Starting {_processes.Count} process{(_processes.Count == 1 ? "" : "es")} …");
        var starts = _processes.Select(StartAsync).ToList();
        // The first failure ends the wait: what depends on that process would never come.
        await foreach (var next in Task.WhenEach(starts).WithCancellation(_stopping.Token))
            await next;

        async Task StartAsync(SupervisedProcess process)
        {
            foreach (var dependency in process.Description.WaitsFor)
            {
                if (Find(dependency) is { } other)
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
        _console.Say($"Stopping {running.Count} process{(running.Count == 1 ? "" : "es")} …");
        var levels = running.GroupBy(Depth).OrderByDescending(level => level.Key).ToList();
        var timeout = StopBudget / levels.Count;
        foreach (var level in levels)
            await Task.WhenAll(level.Select(process => process.StopAsync(timeout)));
        // What was between two starts, or did not end in its time.
        await Task.WhenAll(_processes.Select(process => process.StopAsync(TimeSpan.FromMilliseconds(200))));
        _console.Say($"Stopped.");
    }

    private int Depth(SupervisedProcess process) =>
        process
            .Description.WaitsFor.Select(Find)
            .OfType<SupervisedProcess>()
            .Select(other => Depth(other) + 1)
            .DefaultIfEmpty(0)
            .Max();

    public async ValueTask DisposeAsync()
    {
        await StopAllAsync();
        _spawner.Dispose();
        _stopping.Dispose();
    }
}
