using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Galaxy.Bench;

/// <summary>A process under measurement: started, signalled and started again.</summary>
internal sealed partial class PeerProcess(
    string program,
    Func<IEnumerable<string>> arguments,
    IReadOnlyDictionary<string, string>? environment = null
) : IAsyncDisposable
{
    public const int Kill = 9,
        Terminate = 15,
        Stop = 19,
        Continue = 18;

    private const int MostLines = 50;
    private readonly ConcurrentQueue<string> _lines = new();
    private Process? _process;

    public int Id => _process!.Id;

    public void Start()
    {
        var info = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments())
            info.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            info.Environment[name] = value;
        _process = Process.Start(info) ?? throw new InvalidOperationException($"{program} did not start");
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The last that it said.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    private void Keep(string? line)
    {
        if (line is null)
            return;
        _lines.Enqueue(line);
        if (_lines.Count > MostLines)
            _lines.TryDequeue(out _);
    }

    public void Signal(int signal)
    {
        if (Send(_process!.Id, signal) != 0)
            throw new InvalidOperationException($"{program} could not be signalled");
    }

    /// <summary>Starts it again when it has ended.</summary>
    public async Task RestartAsync()
    {
        await _process!.WaitForExitAsync();
        Start();
    }

    /// <summary>Waits until it has ended, at most 15 s.</summary>
    public Task EndedAsync() =>
        _process!.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(15)).ContinueWith(_ => { }, TaskScheduler.Default);

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            // It may end by itself just now.
            _ = Send(_process.Id, Continue);
            _ = Send(_process.Id, Kill);
            await _process.WaitForExitAsync();
        }
        _process?.Dispose();
    }

    public static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)));

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int pid, int signal);
}
