using System.Diagnostics;

namespace Galaxy.EndToEnd.Tests;

/// <summary>The <c>galaxy</c> program, run as a person runs it.</summary>
internal static class GalaxyProgram
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Its exit code and all that it wrote.</summary>
    public static Task<(int Code, string Output)> RunAsync(
        RunningGalaxy galaxy,
        params IEnumerable<string> arguments
    ) => RunAsync(["--url", galaxy.Host.Url("gateway", "api").ToString(), "--api-key", galaxy.Key, .. arguments]);

    public static async Task<(int Code, string Output)> RunAsync(
        IReadOnlyList<string> arguments,
        string? folder = null,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        var info = new ProcessStartInfo(Repository.Galaxy, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        info.Environment["COLUMNS"] = "500";
        info.Environment.Remove("GALAXY_RUNNER_PID");
        info.Environment.Remove("GALAXY_HOST_PID");
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            info.Environment[name] = value;
        using var process = Process.Start(info)!;
        using var patience = new CancellationTokenSource(Patience);
        var (output, error) = (
            process.StandardOutput.ReadToEndAsync(patience.Token),
            process.StandardError.ReadToEndAsync(patience.Token)
        );
        await process.WaitForExitAsync(patience.Token);
        return (process.ExitCode, await output + await error);
    }
}
