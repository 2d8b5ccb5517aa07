using System.Globalization;

namespace Galaxy.LocalHosting.Description;

/// <summary>Another process runs a system with the same data folder; the message names it and the cure.</summary>
public sealed class AlreadyRunsException(string message) : Exception(message)
{
    /// <summary>The exit code of a program that ends for this reason.</summary>
    public const int ExitCode = 3;
}

/// <summary>
/// Claims a data folder for one running system. The lock is the operating system's: it ends with the process, however
/// that ends.
/// </summary>
public sealed class DataFolderLock : IDisposable
{
    private readonly FileStream _file;
    private readonly string _pidFile;

    private DataFolderLock(FileStream file, string pidFile) => (_file, _pidFile) = (file, pidFile);

    /// <exception cref="AlreadyRunsException">Another process has claimed the folder; the message names it.</exception>
    public static DataFolderLock Acquire(string folder)
    {
        var pidFile = Path.Combine(folder, ".pid");
        FileStream file;
        try
        {
            file = new FileStream(
                Path.Combine(folder, ".lock"),
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                FileShare.None
            );
        }
        catch (IOException)
        {
            throw new AlreadyRunsException(
                $"Galaxy already runs here (process {Read(pidFile)}, data in {folder}). Stop it with "
                    + "Ctrl-C where it was started, or start "
                    + "this one with another folder and free ports: --GALAXY_DATA <folder> --ports any."
            );
        }
        File.WriteAllText(pidFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        return new DataFolderLock(file, pidFile);
    }

    private static string Read(string pidFile)
    {
        try
        {
            return File.ReadAllText(pidFile).Trim() is { Length: > 0 } pid ? pid : "unknown";
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }

    public void Dispose()
    {
        File.Delete(_pidFile);
        _file.Dispose();
    }
}
