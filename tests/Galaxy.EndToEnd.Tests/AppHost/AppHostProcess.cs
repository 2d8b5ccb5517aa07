using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Galaxy.EndToEnd.Tests.AppHost;

/// <summary>The built AppHost in a process of its own, as a person starts it, and all that it starts.</summary>
internal sealed class AppHostProcess : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private AppHostProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public int ExitCode => _process.ExitCode;

    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    public static string Program { get; } =
        Path.Combine(
            Galaxy.LocalHosting.Description.Repository.FindAbove(AppContext.BaseDirectory)!,
            "Galaxy.AppHost",
            "bin",
            Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd('/'))!),
            "net10.0",
            "Galaxy.AppHost"
        );

    public static AppHostProcess Start(
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null
    )
    {
        var info = new ProcessStartInfo(Program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            info.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
            info.Environment[name] = value;
        // Every process of the run is found again by this mark in its environment.
        info.Environment["GALAXY_TEST_RUN"] = Guid.NewGuid().ToString("N");
        return new AppHostProcess(Process.Start(info)!) { Mark = info.Environment["GALAXY_TEST_RUN"]! };
    }

    private string Mark { get; init; } = "";

    /// <summary>
    /// The processes of the run that live, the AppHost, the orchestrator and its monitors among them.
    /// </summary>
    public IReadOnlyList<int> Processes()
    {
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                continue;
            try
            {
                if (File.ReadAllText(Path.Combine(folder, "environ")).Contains(Mark, StringComparison.Ordinal))
                    found.Add(pid);
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It ended meanwhile, or belongs to another user.
            }
        }
        return found;
    }

    public async Task<string> WaitForAsync(string text, int seconds)
    {
        try
        {
            await Eventually.TrueAsync(
                () => Task.FromResult(_process.HasExited || Output.Contains(text, StringComparison.Ordinal)),
                seconds: seconds
            );
        }
        catch (Xunit.Sdk.TrueException)
        {
            Assert.Fail($"'{text}' was not said within {seconds} s. It said:\n{Output}");
        }
        Assert.True(
            Output.Contains(text, StringComparison.Ordinal),
            $"It ended without saying '{text}'. It said:\n{Output}"
        );
        return Output;
    }

    public async Task<int> EndAsync(int seconds)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        await _process.WaitForExitAsync(deadline.Token);
        return _process.ExitCode;
    }

    /// <summary>What Ctrl-C does.</summary>
    public void Interrupt() => _ = SendSignal(_process.Id, 2);

    /// <summary>SIGKILL to the AppHost alone.</summary>
    public void Kill() => _process.Kill(entireProcessTree: false);

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (_output)
            _output.AppendLine(line);
    }

    public void Dispose()
    {
        foreach (var pid in Processes())
            _ = SendSignal(pid, 9);
        _process.Dispose();
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int pid, int signal);
}
