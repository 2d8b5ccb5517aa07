using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Galaxy.LocalHosting.Running;

/// <summary>A fixed port is taken.</summary>
internal sealed class PortTakenException(string message) : Exception(message);

/// <summary>Gives every endpoint a port.</summary>
internal static class PortAllocator
{
    // Below the range that systems take the ports of outgoing connections from: a port that is free now stays so until the
    // process has started.
    private const int FirstFree = 20_000;
    private const int LastFree = 32_000;
    private const int MaxAttempts = 1_000;

    /// <exception cref="PortTakenException">Says which port, for whom, and by whom it is taken.</exception>
    public static void Allocate(IReadOnlyList<ProcessResource> resources)
    {
        var held = new List<Socket>();
        try
        {
            foreach (var (resource, endpoint) in resources.SelectMany(resource => resource.Endpoints.Select(endpoint => (resource, endpoint))))
                endpoint.AllocatedPort = Take(resource, endpoint, held);
        }
        finally
        {
            // All were held until the last was found, so that none was given twice.
            held.ForEach(socket => socket.Dispose());
        }
    }

    private static int Take(ProcessResource resource, EndpointAnnotation endpoint, List<Socket> held)
    {
        if (endpoint.Port is { } port)
            return TryHold(port, held) ? port : throw new PortTakenException(Explain(resource, endpoint, port));
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var candidate = Random.Shared.Next(FirstFree, LastFree + 1);
            if (TryHold(candidate, held))
                return candidate;
        }
        throw new PortTakenException($"No free port was found between {FirstFree} and {LastFree} for '{resource.Name}'.");
    }

    private static bool TryHold(int port, List<Socket> held)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        held.Add(socket);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            // Some systems let two sockets bind until one listens.
            socket.Listen(1);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string Explain(ProcessResource resource, EndpointAnnotation endpoint, int port)
    {
        var owner = PortOwner.Find(port) is { } found ? $"by {found}" : "by another program";
        var cure = endpoint.Variable is { } variable ? $"Stop that program, or choose another port with --{variable} <port>." : "Stop that program.";
        return $"Port {port}, which '{resource.Name}' needs for '{endpoint.Name}', is taken {owner}. {cure}";
    }
}

/// <summary>Finds out which process listens on a port (Linux; elsewhere nobody is named).</summary>
public static class PortOwner
{
    public static string? Find(int port)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var sockets = Listening("/proc/net/tcp", port).Concat(Listening("/proc/net/tcp6", port)).Select(inode => $"socket:[{inode}]").ToHashSet(StringComparer.Ordinal);
        if (sockets.Count == 0)
            return null;
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            try
            {
                if (Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd")).Any(fd => File.ResolveLinkTarget(fd, false) is { } target && sockets.Contains(Path.GetFileName(target.ToString()))))
                    return $"{File.ReadAllText(Path.Combine(process, "comm")).Trim()} (process {Path.GetFileName(process)})";
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // Ended meanwhile, or somebody else's.
            }
        }
        return null;
    }

    private static IEnumerable<string> Listening(string table, int port)
    {
        const string Listen = "0A";
        var suffix = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        return !File.Exists(table)
            ? []
            : File.ReadLines(table).Skip(1)
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(fields => fields.Length > 9 && fields[1].EndsWith(suffix, StringComparison.Ordinal) && fields[3] == Listen)
                .Select(fields => fields[9]);
    }
}
