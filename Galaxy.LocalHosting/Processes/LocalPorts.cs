using System.Net;
using System.Net.Sockets;

namespace Galaxy.LocalHosting.Processes;

/// <summary>A port that a process needs.</summary>
/// <param name="Process">The process that needs it.</param>
/// <param name="Endpoint">The endpoint that it is for.</param>
/// <param name="Port">Null: any free one.</param>
/// <param name="Variable">The setting that changes it; null: none does.</param>
public sealed record PortRequest(string Process, string Endpoint, int? Port, string? Variable);

/// <summary>A port that must be free is not; the message names its owner and the cure.</summary>
public sealed class PortTakenException(string message) : Exception(message)
{
    /// <summary>The exit code of a program that ends for this reason.</summary>
    public const int ExitCode = 3;
}

/// <summary>Gives every endpoint a port of this machine.</summary>
public static class LocalPorts
{
    // Below the range that systems take the ports of outgoing connections from: a port that is free now stays free
    // until the process has started.
    private const int FirstFree = 20_000;
    private const int LastFree = 32_000;
    private const int MaxAttempts = 1_000;

    /// <summary>The port of each request.</summary>
    /// <exception cref="PortTakenException">A fixed port is taken.</exception>
    public static IReadOnlyDictionary<PortRequest, int> Allocate(IEnumerable<PortRequest> requests)
    {
        var all = requests.ToList();
        foreach (
            var twice in all.Where(request => request.Port is not null)
                .GroupBy(request => request.Port)
                .Where(group => group.Count() > 1)
        )
        {
            var names = string.Join(
                " and ",
                twice.Select(request => request.Variable ?? $"'{request.Endpoint}' of '{request.Process}'")
            );
            throw new PortTakenException($"{names} are all {twice.Key}. Give each a port of its own.");
        }
        var held = new List<Socket>();
        try
        {
            // Fixed ports first: a free port must not be the fixed port of another process.
            return all.OrderBy(request => request.Port is null)
                .ToDictionary(request => request, request => Take(request, held));
        }
        finally
        {
            // All sockets stay open until the last port is found, so that no port is given twice.
            held.ForEach(socket => socket.Dispose());
        }
    }

    private static int Take(PortRequest request, List<Socket> held)
    {
        if (request.Port is { } port)
            return TryHold(port, held) ? port : throw new PortTakenException(Explain(request, port));
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var candidate = Random.Shared.Next(FirstFree, LastFree + 1);
            if (TryHold(candidate, held))
                return candidate;
        }
        throw new PortTakenException(
            $"No port between {FirstFree} and {LastFree} is free for '{request.Process}'. End a program "
                + "that holds many ports."
        );
    }

    private static bool TryHold(int port, List<Socket> held) =>
        TryHold(IPAddress.Loopback, port, held)
        && (!Socket.OSSupportsIPv6 || TryHold(IPAddress.IPv6Loopback, port, held));

    private static bool TryHold(IPAddress address, int port, List<Socket> held)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        held.Add(socket);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            // Some systems let two sockets bind until one of them listens.
            socket.Listen(1);
            return true;
        }
        catch (SocketException failure)
        {
            // A machine may have the protocol and no address of it.
            return failure.SocketErrorCode == SocketError.AddressNotAvailable;
        }
    }

    private static string Explain(PortRequest request, int port)
    {
        var owner = PortOwner.Find(port);
        if (owner?.StartsWith("Galaxy.", StringComparison.Ordinal) == true)
        {
            return $"Galaxy already runs on this machine: port {port} is taken by {owner}. "
                + "Stop it with Ctrl-C where it was started, or start this one beside it with free ports and "
                + "another folder: --ports any --GALAXY_DATA <folder>.";
        }
        var cure = request.Variable is { } variable
            ? $"Stop that program, or choose another port with --{variable} <port>."
            : "Stop that program.";
        return $"Port {port}, which '{request.Process}' needs for '{request.Endpoint}', is taken by "
            + $"{owner ?? "another program"}. {cure}";
    }
}
