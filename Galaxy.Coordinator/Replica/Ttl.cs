using Galaxy.Core.State;

namespace Galaxy.Coordinator.Replica;

/// <summary>How long entries live that nobody renews, by namespace.</summary>
internal static class Ttl
{
    /// <summary>For namespaces that ask for it: what is true only while somebody keeps saying it.</summary>
    public static readonly TimeSpan Default = TimeSpan.FromHours(1);

    private static readonly string[] Namespaces = ["heartbeats", "metrics", "services"];

    public static bool IsOver(StateEntry entry, DateTimeOffset now) =>
        Array.IndexOf(Namespaces, entry.Namespace) >= 0
        && now.ToUnixTimeMilliseconds() - entry.Latest.Time.PhysicalMs > (long)Default.TotalMilliseconds;
}
