using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Galaxy.Hosts;

/// <summary>A program that runs on a host until it is ended.</summary>
internal sealed partial class LabProcess : IAsyncDisposable
{
    private const int MostLines = 2000;
    private const int Kill = 9;
    private const int Terminate = 15;
    private static readonly double TicksPerSecond = 100;

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private bool _disposed;

    public LabProcess(
        string space,
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string> environment,
        string folder
    )
    {
        // ip replaces itself with the program: signals reach it.
        var info = new ProcessStartInfo("ip")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach (var argument in (string[])["netns", "exec", space, program, .. arguments])
            info.ArgumentList.Add(argument);
        foreach (var (name, value) in environment)
            info.Environment[name] = value;
        _process = Process.Start(info)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The last lines that it wrote.</summary>
    public IReadOnlyCollection<string> Output => _lines;

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    /// <summary>Processor time so far, in seconds.</summary>
    public double ProcessorSeconds
    {
        get
        {
            var fields = File.ReadAllText($"/proc/{_process.Id}/stat").Split(") ")[1].Split(' ');
            return (
                    double.Parse(fields[11], CultureInfo.InvariantCulture)
                    + double.Parse(fields[12], CultureInfo.InvariantCulture)
                ) / TicksPerSecond;
        }
    }

    /// <summary>Memory that is its own, with its part of what it shares (PSS), in MiB.</summary>
    public double ProportionalMiB => Kib($"/proc/{_process.Id}/smaps_rollup", "Pss:") / 1024;

    /// <summary>Memory in use, shared or not (RSS), in MiB.</summary>
    public double ResidentMiB => Kib($"/proc/{_process.Id}/status", "VmRSS:") / 1024;

    /// <summary>What it has for itself and what it maps from files.</summary>
    public string Memory =>
        string.Join(
            ", ",
            File.ReadLines($"/proc/{_process.Id}/status")
                .Where(line => line.StartsWith("Rss", StringComparison.Ordinal))
                .Select(line => line.Replace("\t", " ", StringComparison.Ordinal))
        );

    /// <summary>kill -9.</summary>
    public Task KillAsync() => EndAsync(Kill);

    /// <summary>SIGTERM, and waits until it has ended; kills it after 15 s.</summary>
    public Task StopAsync() => EndAsync(Terminate);

    private async Task EndAsync(int signal)
    {
        if (_process.HasExited)
            return;
        _ = Send(_process.Id, signal);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
        }
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        _lines.Enqueue(line);
        if (_lines.Count > MostLines)
            _lines.TryDequeue(out _);
    }

    private static double Kib(string file, string name) =>
        double.Parse(
            File.ReadLines(file)
                .First(line => line.StartsWith(name, StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture
        );

    /// <summary>Kills it, if it still runs; may be called again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await EndAsync(Kill);
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int pid, int signal);
}
