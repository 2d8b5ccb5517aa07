using System.Net;
using System.Net.Sockets;

namespace Galaxy.EndToEnd.Tests;

/// <summary>The files of the repository that this test was built in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>The <c>galaxy</c> program, of the same configuration as this test.</summary>
    public static string Galaxy { get; } =
        Path.Combine(
            Root,
            "Galaxy.Cli",
            "bin",
            AppContext.BaseDirectory.Contains(
                $"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}",
                StringComparison.Ordinal
            )
                ? "Release"
                : "Debug",
            "net10.0",
            "galaxy"
        );

    private static string Find()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Galaxy.sln")))
            root = Path.GetDirectoryName(root)
                ?? throw new InvalidOperationException("not started within the repository");
        return root;
    }
}

internal static class Ports
{
    /// <summary>A port of loopback that nobody listens on at the moment.</summary>
    public static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
