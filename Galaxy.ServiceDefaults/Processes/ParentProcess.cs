using System.Globalization;
using System.Runtime.InteropServices;

namespace Galaxy.ServiceDefaults.Processes;

/// <summary>
/// Ties this process to the local runner that started it: when the runner dies, however it dies, so does this process.
/// </summary>
public static partial class ParentProcess
{
    /// <summary>Set by the runner to its own process id.</summary>
    public const string Variable = "GALAXY_RUNNER_PID";

    private const int SetParentDeathSignal = 1;
    private const int Kill = 9;

    /// <summary>
    /// Call first thing in <c>Main</c>. Also leaves the terminal's process group, so that Ctrl-C reaches the runner alone
    /// and it can stop its children in order. Does nothing when no runner started this process.
    /// </summary>
    public static void Follow()
    {
        if (!int.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out var runner)
            || !OperatingSystem.IsLinux())
            return;
        _ = SetProcessGroup(0, 0);
        _ = ProcessControl(SetParentDeathSignal, Kill, 0, 0, 0);
        // The runner may have died before the call above.
        if (GetParentProcessId() != runner)
            Environment.Exit(1);
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);

    [LibraryImport("libc", EntryPoint = "setpgid")]
    private static partial int SetProcessGroup(int pid, int group);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParentProcessId();
}
