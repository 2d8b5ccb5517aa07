using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Galaxy.LocalHosting.Running;

/// <summary>What a resource is doing.</summary>
public enum ResourceState
{
    Waiting,
    Starting,
    Healthy,
    Restarting,
    Stopped,
    Failed,
}

/// <summary>
/// One resource's process: starts it, waits until it is healthy, restarts it with back-off when it dies, keeps its last
/// lines. Thread-safe.
/// </summary>
internal sealed class ResourceProcess(ProcessResource resource, ProcessSpawner spawner, Func<IEnumerable<(string Name, string? Value)>> environment, RunnerConsole console)
{
    private const int KeptLines = 500;
    private const int SettingsError = 2;
    private const int StartError = 3;
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastBackoff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthPatience = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();
    private Process? _process;
    private bool _wanted;
    private Task _loop = Task.CompletedTask;
    private TaskCompletionSource _healthy = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ProcessResource Resource => resource;

    public ResourceState State { get; private set; } = ResourceState.Waiting;

    public int Restarts { get; private set; }

    public int? ProcessId { get; private set; }

    /// <summary>Completes when the resource is healthy; fails when it cannot be.</summary>
    public Task Healthy
    {
        get
        {
            lock (_gate)
                return _healthy.Task;
        }
    }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    public void Start()
    {
        lock (_gate)
        {
            if (_wanted)
                return;
            _wanted = true;
            if (_healthy.Task.IsCompleted)
                _healthy = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _loop = Task.Run(SuperviseAsync);
        }
    }

    /// <summary>SIGTERM, and SIGKILL for what has not ended after <paramref name="patience"/>.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        Task loop;
        lock (_gate)
        {
            _wanted = false;
            loop = _loop;
        }
        if (ProcessId is { } pid)
            Signals.Send(pid, Signals.Terminate);
        if (await Task.WhenAny(loop, Task.Delay(patience)) != loop && ProcessId is { } stubborn)
        {
            console.Line(resource.Name, $"did not end within {patience.TotalSeconds:0.#} s: killed");
            // A stopped process cannot die before it continues to exist.
            Signals.Send(stubborn, Signals.Kill);
            await loop;
        }
    }

    /// <summary>Sends a signal to the process; the supervisor restarts it if that ends it.</summary>
    public void Signal(int signal)
    {
        if (ProcessId is { } pid)
            Signals.Send(pid, signal);
    }

    private async Task SuperviseAsync()
    {
        var backoff = FirstBackoff;
        while (_wanted)
        {
            var started = Stopwatch.GetTimestamp();
            State = ResourceState.Starting;
            int code;
            try
            {
                code = await RunOnceAsync();
            }
            catch (Exception failure)
            {
                Fail($"'{resource.Name}' could not be started: {failure.Message}");
                return;
            }
            if (!_wanted)
                break;
            // What the program says of its settings will not change by itself.
            if (code is SettingsError or StartError && !_healthy.Task.IsCompletedSuccessfully)
            {
                Fail($"'{resource.Name}' refuses to start: {LastError()}");
                return;
            }
            if (Stopwatch.GetElapsedTime(started) > Steady)
                backoff = FirstBackoff;
            Restarts++;
            State = ResourceState.Restarting;
            console.Line(resource.Name, $"ended with code {code}; starting again in {backoff.TotalSeconds:0.#} s");
            await Task.Delay(backoff);
            backoff = backoff * 2 < LastBackoff ? backoff * 2 : LastBackoff;
        }
        State = ResourceState.Stopped;
    }

    private string LastError() =>
        Lines.LastOrDefault(line => line.StartsWith("error: ", StringComparison.Ordinal))?["error: ".Length..]
        ?? (Lines is [.., var last] ? last : "it said nothing");

    private void Fail(string message)
    {
        State = ResourceState.Failed;
        lock (_gate)
        {
            _wanted = false;
            if (!_healthy.TrySetException(new RunnerException(message)))
                console.Line(resource.Name, message);
        }
    }

    private async Task<int> RunOnceAsync()
    {
        using var process = new Process { StartInfo = StartInfo(), EnableRaisingEvents = true };
        process.OutputDataReceived += (_, e) => Output(e.Data);
        process.ErrorDataReceived += (_, e) => Output(e.Data);
        await spawner.StartAsync(process);
        _process = process;
        ProcessId = process.Id;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!_wanted)
            Signals.Send(process.Id, Signals.Terminate);
        using var ended = new CancellationTokenSource();
        var probing = ProbeAsync(ended.Token);
        await process.WaitForExitAsync();
        ProcessId = null;
        _process = null;
        await ended.CancelAsync();
        await probing;
        return process.ExitCode;
    }

    private async Task ProbeAsync(CancellationToken ended)
    {
        var started = Stopwatch.GetTimestamp();
        var healthy = await HealthProbe.WaitAsync(resource, HealthPatience, ended);
        if (ended.IsCancellationRequested)
            return;
        if (!healthy)
        {
            console.Line(resource.Name, $"is not healthy after {HealthPatience.TotalSeconds:0} s");
            return;
        }
        State = ResourceState.Healthy;
        console.Line(resource.Name, $"is healthy after {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
        lock (_gate)
            _healthy.TrySetResult();
    }

    private ProcessStartInfo StartInfo()
    {
        var (fileName, prefix, workingDirectory) = resource.Command;
        if (resource.Programs is { } programs && Path.GetFileName(fileName) is var program)
            fileName = Path.Combine(programs, program == "galaxy" ? "Galaxy.Cli" : program, program);
        var info = new ProcessStartInfo(fileName)
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        // Foreign programs do not tie themselves to the runner; setpriv does it for them.
        if (resource is ExecutableResource or RedisResource { Choice.Server: true } && File.Exists("/usr/bin/setpriv"))
        {
            info.FileName = "/usr/bin/setpriv";
            info.ArgumentList.Add("--pdeathsig");
            info.ArgumentList.Add("KILL");
            info.ArgumentList.Add(fileName);
        }
        foreach (var argument in prefix.Concat(resource.Arguments))
            info.ArgumentList.Add(argument);
        // Programs find the runtime that runs this one, wherever it is installed.
        info.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        info.Environment["GALAXY_RUNNER_PID"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        foreach (var (name, value) in environment())
            Set(info.Environment, name, value);
        return info;
    }

    // Names of settings do not depend on case; a second spelling, inherited, would compete.
    private static void Set(IDictionary<string, string?> variables, string name, string? value)
    {
        foreach (var other in variables.Keys.Where(other => string.Equals(other, name, StringComparison.OrdinalIgnoreCase)).ToList())
            variables.Remove(other);
        variables[name] = value;
    }

    private void Output(string? line)
    {
        if (line is null)
            return;
        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > KeptLines)
                _lines.Dequeue();
        }
        console.Line(resource.Name, line);
    }
}
