using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Galaxy.LocalHosting.Processes;

namespace Galaxy.LocalHosting.Supervision;

/// <summary>What a supervised process is doing.</summary>
public enum ProcessState
{
    Waiting,
    Starting,
    Healthy,
    Restarting,
    Stopped,
    Failed,
}

/// <summary>
/// Starts a process, waits until it is healthy, restarts it with back-off when it dies, keeps its last lines.
/// Thread-safe.
/// </summary>
internal sealed class SupervisedProcess(
    ProcessDescription description,
    ProcessSpawner spawner,
    SupervisorConsole console,
    TimeProvider time
)
{
    private const int KeptLines = 500;
    private const int SettingsError = 2;
    private const int StartError = 3;
    private static readonly TimeSpan MinBackoff = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(0.5);

    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();
    private Process? _process;
    private bool _wanted;
    private Task _loop = Task.CompletedTask;
    private TaskCompletionSource _healthy = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the next start runs.</summary>
    public ProcessDescription Description { get; private set; } = description;

    public string Name { get; } = description.Name;

    public ProcessState State { get; private set; } = ProcessState.Waiting;

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

    /// <summary>SIGTERM, and SIGKILL for what has not ended after <paramref name="timeout"/>.</summary>
    public async Task StopAsync(TimeSpan timeout)
    {
        Task loop;
        lock (_gate)
        {
            _wanted = false;
            loop = _loop;
        }
        if (ProcessId is { } pid)
            Signals.Send(pid, Signals.Terminate);
        if (await Task.WhenAny(loop, Task.Delay(timeout)) != loop && ProcessId is { } stubborn)
        {
            console.Line(Name, $"did not end within {timeout.TotalSeconds:0.#} s: killed");
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
        var backoff = MinBackoff;
        while (_wanted)
        {
            var started = time.GetTimestamp();
            State = ProcessState.Starting;
            int code;
            try
            {
                code = await RunOnceAsync();
            }
            catch (Exception failure)
            {
                Fail($"'{Name}' could not be started: {failure.Message}");
                return;
            }
            if (!_wanted)
                break;
            // A start that the program refuses (settings, ports, stores) would be refused again.
            if (code is SettingsError or StartError && !_healthy.Task.IsCompletedSuccessfully)
            {
                Fail($"'{Name}' refuses to start: {LastError()}");
                return;
            }
            if (time.GetElapsedTime(started) > Steady)
                backoff = MinBackoff;
            Restarts++;
            State = ProcessState.Restarting;
            console.Line(Name, $"ended with code {code}; starting again in {backoff.TotalSeconds:0.#} s");
            await Task.Delay(backoff, time);
            backoff = backoff * 2 < MaxBackoff ? backoff * 2 : MaxBackoff;
        }
        State = ProcessState.Stopped;
    }

    private string LastError() =>
        Lines.LastOrDefault(line => line.StartsWith("error: ", StringComparison.Ordinal))?["error: ".Length..]
        ?? (Lines is [.., var last] ? last : "it said nothing");

    private void Fail(string message)
    {
        State = ProcessState.Failed;
        lock (_gate)
        {
            _wanted = false;
            if (!_healthy.TrySetException(new SupervisorException(message)))
                console.Line(Name, message);
        }
    }

    private async Task<int> RunOnceAsync()
    {
        using var process = new Process { StartInfo = StartInfo(), EnableRaisingEvents = true };
        process.OutputDataReceived += (_, e) => Output(e.Data);
        process.ErrorDataReceived += (_, e) => Output(e.Data);
        var exited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.Exited += (_, _) => exited.TrySetResult();
        await spawner.StartAsync(process);
        _process = process;
        ProcessId = process.Id;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!_wanted)
            Signals.Send(process.Id, Signals.Terminate);
        using var ended = new CancellationTokenSource();
        var probing = ProbeAsync(ended.Token);
        await exited.Task;
        // What it has written is read to its end; a program that it left behind may hold the output open for ever.
        using var patience = new CancellationTokenSource(LastWords);
        await process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ProcessId = null;
        _process = null;
        await ended.CancelAsync();
        await probing;
        return process.ExitCode;
    }

    private async Task ProbeAsync(CancellationToken ended)
    {
        var started = Stopwatch.GetTimestamp();
        // A start may take long on a busy machine; a process that does not answer is reported once a minute.
        while (!await HealthProbe.WaitAsync(Description, HealthTimeout, ended))
        {
            if (ended.IsCancellationRequested)
                return;
            console.Line(Name, $"is not healthy after {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s");
        }
        if (ended.IsCancellationRequested)
            return;
        State = ProcessState.Healthy;
        console.Line(Name, $"is healthy after {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
        lock (_gate)
            _healthy.TrySetResult();
    }

    /// <summary>From its next start on, the process runs as <paramref name="change"/> says.</summary>
    public void Change(Func<ProcessDescription, ProcessDescription> change)
    {
        lock (_gate)
            Description = change(Description);
    }

    private ProcessStartInfo StartInfo()
    {
        var process = Description;
        var info = new ProcessStartInfo(process.Program)
        {
            WorkingDirectory = process.WorkingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        // Programs of others do not end with their supervisor by themselves; setpriv sees to it.
        if (!process.FollowsSupervisor && File.Exists("/usr/bin/setpriv"))
        {
            info.FileName = "/usr/bin/setpriv";
            info.ArgumentList.Add("--pdeathsig");
            info.ArgumentList.Add("KILL");
            info.ArgumentList.Add(process.Program);
        }
        foreach (var argument in process.Arguments)
            info.ArgumentList.Add(argument);
        // Programs find the runtime that runs this one, wherever it is installed.
        info.Environment["DOTNET_ROOT"] = Path.GetFullPath(
            Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..")
        );
        info.Environment["GALAXY_RUNNER_PID"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        foreach (var (name, value) in process.Environment)
            Set(info.Environment, name, value);
        return info;
    }

    // Names of settings do not depend on case; a second spelling, inherited, would compete.
    private static void Set(IDictionary<string, string?> variables, string name, string? value)
    {
        foreach (
            var other in variables
                .Keys.Where(other => string.Equals(other, name, StringComparison.OrdinalIgnoreCase))
                .ToList()
        )
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
        console.Line(Name, line);
    }
}
