using System.Globalization;

namespace Galaxy.LocalHosting.Processes;

/// <summary>Finds out which process listens on a port.</summary>
public static class PortOwner
{
    /// <summary>
    /// Its name and id, for instance <c>nginx (process 17)</c>; null where it cannot be told (other users' processes,
    /// other systems than Linux).
    /// </summary>
    public static string? Find(int port)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var sockets = Listening("/proc/net/tcp", port)
            .Concat(Listening("/proc/net/tcp6", port))
            .Select(inode => $"socket:[{inode}]")
            .ToHashSet(StringComparer.Ordinal);
        if (sockets.Count == 0)
            return null;
        foreach (
            var process in Directory
                .EnumerateDirectories("/proc")
                .Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0]))
        )
        {
            try
            {
                if (Holds(process, sockets))
                    return $"{File.ReadAllText(Path.Combine(process, "comm")).Trim()} (process "
                        + $"{Path.GetFileName(process)})";
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // The process has ended meanwhile, or belongs to another user.
            }
        }
        return null;
    }

    private static bool Holds(string process, HashSet<string> sockets) =>
        Directory
            .EnumerateFileSystemEntries(Path.Combine(process, "fd"))
            .Any(descriptor =>
                File.ResolveLinkTarget(descriptor, false) is { } target
                && sockets.Contains(Path.GetFileName(target.ToString()))
            );

    private static IEnumerable<string> Listening(string table, int port)
    {
        const string Listen = "0A";
        var suffix = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        return !File.Exists(table)
            ? []
            : File.ReadLines(table)
                .Skip(1)
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(fields =>
                    fields.Length > 9 && fields[1].EndsWith(suffix, StringComparison.Ordinal) && fields[3] == Listen
                )
                .Select(fields => fields[9]);
    }
}
