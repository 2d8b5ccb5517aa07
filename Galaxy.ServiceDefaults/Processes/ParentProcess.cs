using System.Globalization;
using System.Runtime.InteropServices;

namespace Galaxy.ServiceDefaults.Processes;

/// <summary>
/// Ties this process to the program that runs the system: when that program dies, however it dies, so does this
/// process. The program is the parent (a supervisor), or the AppHost, between which and its processes stands an
/// orchestrator.
/// </summary>
public static partial class ParentProcess
{
    /// <summary>Set by a supervisor to its own process id: it is the parent.</summary>
    public const string Variable = "GALAXY_RUNNER_PID";

    /// <summary>Set by the AppHost to its own process id: it is not the parent.</summary>
    public const string HostVariable = "GALAXY_HOST_PID";

    private const int SetParentDeathSignal = 1;
    private const int Kill = 9;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static Timer? _watch;

    /// <summary>
    /// Call first thing in <c>Main</c>. Also leaves the terminal's process group, so that Ctrl-C reaches the supervisor
    /// alone and it can stop its children in order. Does nothing when neither variable is set.
    /// </summary>
    public static void Follow()
    {
        if (
            int.TryParse(
                Environment.GetEnvironmentVariable(HostVariable),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var host
            )
        )
            _watch = new Timer(_ => EndWithout(host), null, TimeSpan.Zero, Interval);
        if (
            !int.TryParse(
                Environment.GetEnvironmentVariable(Variable),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var runner
            ) || !OperatingSystem.IsLinux()
        )
            return;
        _ = SetProcessGroup(0, 0);
        _ = ProcessControl(SetParentDeathSignal, Kill, 0, 0, 0);
        // The supervisor may have died before the call above.
        if (GetParentProcessId() != runner)
            Environment.Exit(1);
    }

    private static void EndWithout(int host)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(host);
        }
        catch (ArgumentException)
        {
            // Nothing can be handed over in order: all others end in the same second.
            System.Diagnostics.Process.GetCurrentProcess().Kill();
        }
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);

    [LibraryImport("libc", EntryPoint = "setpgid")]
    private static partial int SetProcessGroup(int pid, int group);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParentProcessId();
}
