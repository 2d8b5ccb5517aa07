using System.Collections.Concurrent;
using System.Diagnostics;

namespace Galaxy.EndToEnd.Tests;

/// <summary>
/// One more process of a running system, started as another of its kind was, but for what is said here.
/// </summary>
internal sealed class ExtraProcess : IDisposable
{
    private readonly ProcessStartInfo _info;
    private Process _process;
    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-extra-").FullName;
    private readonly ConcurrentQueue<string> _lines = new();

    /// <param name="like">The resource whose program and environment it gets.</param>
    /// <param name="ports">Variables that name ports; each gets a free one.</param>
    /// <param name="environment">Settings besides those of its model.</param>
    /// <param name="shell">Run by bash before the program takes its place; it may set limits.</param>
    public ExtraProcess(
        RunningGalaxy galaxy,
        string like,
        string nodeId,
        string[] ports,
        string shell = "",
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        var model = galaxy.Host.ProcessId(like)!.Value;
        Ports = ports.ToDictionary(name => name, _ => Tests.Ports.Free());
        var info = new ProcessStartInfo("/bin/bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        info.Environment.Clear();
        foreach (
            var pair in File.ReadAllText($"/proc/{model}/environ")
                .Split('\0', StringSplitOptions.RemoveEmptyEntries)
                .Select(pair => pair.Split('=', 2))
        )
            info.Environment[pair[0]] = pair[1];
        // Linux would take the end of the thread that starts it for the runner's end. Disposing ends it here.
        info.Environment.Remove("GALAXY_RUNNER_PID");
        info.Environment.Remove("GALAXY_HOST_PID");
        // The ports, however the model was told of them.
        foreach (
            var name in info
                .Environment.Keys.Where(name =>
                    name.EndsWith("_PORT", StringComparison.Ordinal)
                    || name.StartsWith("ASPNETCORE_", StringComparison.Ordinal)
                )
                .ToList()
        )
            info.Environment.Remove(name);
        foreach (var (name, port) in Ports)
            info.Environment[name] = $"{port}";
        info.Environment["Galaxy_NODE_ID"] = nodeId;
        info.Environment["GALAXY_DATA"] = _data;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            info.Environment[name] = value;
        var command = File.ReadAllText($"/proc/{model}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries);
        info.ArgumentList.Add("-c");
        info.ArgumentList.Add($"{shell}\nexec \"$@\"");
        info.ArgumentList.Add("bash");
        foreach (var word in command)
            info.ArgumentList.Add(word);
        _info = info;
        _process = Start();
    }

    /// <summary>From the next start on, the program that the resource runs now.</summary>
    public void Follow(RunningGalaxy galaxy, string like) =>
        _info.ArgumentList[3] = File.ReadAllText($"/proc/{galaxy.Host.ProcessId(like)!.Value}/cmdline").Split('\0')[0];

    /// <summary>From the next start on, with this setting.</summary>
    public void SetEnvironment(string name, string value) => _info.Environment[name] = value;

    private Process Start()
    {
        var process = Process.Start(_info)!;
        process.OutputDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Where it listens, by variable.</summary>
    public IReadOnlyDictionary<string, int> Ports { get; }

    public Uri Url => Address(Ports.Keys.First());

    public Uri Address(string port) => new($"http://127.0.0.1:{Ports[port]}");

    /// <summary>Kills it without a word, and starts it again.</summary>
    public async Task KillAndStartAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = Start();
    }

    public bool HasEnded => _process.HasExited;

    /// <summary>The folder that it keeps its data in.</summary>
    public string Data => _data;

    /// <summary>Everything it said.</summary>
    public string Output => string.Join('\n', _lines);

    public async Task<int> ExitCodeAsync(TimeSpan patience)
    {
        await _process.WaitForExitAsync().WaitAsync(patience);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_data, recursive: true);
    }
}
