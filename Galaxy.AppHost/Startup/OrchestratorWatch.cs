using System.Globalization;
using Galaxy.AppHost.Hosting;
using Microsoft.Extensions.Hosting;

namespace Galaxy.AppHost.Startup;

/// <summary>
/// Ends the run when a process of Aspire's orchestrator has ended: without it nothing is started again, and what the
/// dashboard shows is the past. Linux only; elsewhere the orchestrator is not watched.
/// </summary>
internal sealed class OrchestratorWatch(IHostApplicationLifetime lifetime) : EarlyService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task RunAsync(CancellationToken stoppingToken)
    {
        if (!OperatingSystem.IsLinux())
            return;
        IReadOnlyList<int> known = [];
        using var timer = new PeriodicTimer(Interval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            // A scan of all processes costs milliseconds; once both parts are known, only these are looked at.
            if (known.Count < 2)
                known = Find();
            else if (known.Any(pid => !Directory.Exists($"/proc/{pid}")))
            {
                Console.Error.WriteLine(
                    "error: Aspire's orchestrator (dcp) has ended. Everything stops; start Galaxy again."
                );
                Environment.ExitCode = 1;
                lifetime.StopApplication();
                return;
            }
        }
    }

    // The API server has this process as its monitor; the controllers share its configuration file.
    private static IReadOnlyList<int> Find()
    {
        var processes = Directory
            .EnumerateDirectories("/proc")
            .Select(folder =>
                (
                    Id: int.TryParse(
                        Path.GetFileName(folder),
                        NumberStyles.None,
                        CultureInfo.InvariantCulture,
                        out var pid
                    )
                        ? pid
                        : 0,
                    Folder: folder
                )
            )
            .Where(process => process.Id > 0)
            .Select(process => (process.Id, Arguments: Arguments(process.Folder)))
            .Where(process => process.Arguments.Length > 1 && Path.GetFileName(process.Arguments[0]) == "dcp")
            .ToList();
        var server = processes.Find(process =>
            process.Arguments[1] == "start-apiserver"
            && After(process.Arguments, "--monitor") == Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
        );
        if (server.Id == 0 || After(server.Arguments, "--kubeconfig") is not { } configuration)
            return [];
        return
        [
            .. processes
                .Where(process =>
                    process.Arguments[1] is "start-apiserver" or "run-controllers"
                    && After(process.Arguments, "--kubeconfig") == configuration
                )
                .Select(process => process.Id),
        ];
    }

    private static string? After(string[] arguments, string option)
    {
        var at = Array.IndexOf(arguments, option);
        return at >= 0 && at + 1 < arguments.Length ? arguments[at + 1] : null;
    }

    private static string[] Arguments(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "cmdline")).Split('\0');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
