using System.Runtime.InteropServices;

namespace Galaxy.LocalHosting.Processes;

/// <summary>Signals to processes that this program started.</summary>
public static partial class Signals
{
    public const int Terminate = 15;
    public const int Kill = 9;
    public const int Stop = 19;
    public const int Continue = 18;

    public static void Send(int pid, int signal)
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SendSignal(pid, signal);
            return;
        }
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(pid);
            process.Kill();
        }
        catch (ArgumentException)
        {
            // It has ended already.
        }
    }

    public static int ParentProcessId => OperatingSystem.IsWindows() ? 0 : GetParent();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParent();
}
