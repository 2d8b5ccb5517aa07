using System.Runtime.InteropServices;

namespace Galaxy.LocalHosting.Processes;

/// <summary>Whether the user of this process may run a program.</summary>
public static partial class ProgramAccess
{
    private const int Execute = 1;

    /// <summary>
    /// False: the file is not there, a folder above it cannot be entered, or the user has no right to run it.
    /// </summary>
    public static bool CanRun(string program) =>
        OperatingSystem.IsWindows() ? File.Exists(program) : CheckAccess(program, Execute) == 0;

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CheckAccess(string path, int mode);
}
