using System.Diagnostics;
using System.Globalization;

namespace Galaxy.Bench.Gossip;

/// <summary>
/// Counts the bytes of IP packets from and to ports, headers included, as iptables sees them on the loopback interface.
/// </summary>
internal static class ByteCounter
{
    private const string Chain = "BENCH";

    /// <param name="ports">A range such as <c>29100:29104</c>.</param>
    public static void Watch(string ports)
    {
        Run("iptables", "-N", Chain);
        foreach (var protocol in new[] { "tcp", "udp" })
        {
            Run("iptables", "-A", Chain, "-p", protocol, "-m", "multiport", "--ports", ports);
            // Each packet passes the loopback's input once.
            Run("iptables", "-A", "INPUT", "-p", protocol, "-m", "multiport", "--ports", ports, "-j", Chain);
        }
    }

    public static void Forget()
    {
        Run("iptables", "-F");
        Run("iptables", "-X");
    }

    public static long Read() =>
        Run("iptables", "-nvxL", Chain)
            .Split('\n')
            .Skip(2)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words.Length > 1)
            .Sum(words => long.Parse(words[1], CultureInfo.InvariantCulture));

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? text
            : throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)} ended with code {process.ExitCode}"
            );
    }
}
