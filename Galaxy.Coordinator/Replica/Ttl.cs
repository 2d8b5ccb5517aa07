using Galaxy.Core.State;

namespace Galaxy.Coordinator.Replica;

/// <summary>Lifetimes, by namespace, of entries that are not renewed.</summary>
internal static class Ttl
{
    /// <summary>For namespaces with entries that are true only while their source keeps repeating them.</summary>
    public static readonly TimeSpan Default = TimeSpan.FromHours(1);

    private static readonly string[] Namespaces = ["heartbeats", "metrics", "services"];

    public static bool IsOver(StateEntry entry, DateTimeOffset now) =>
        Array.IndexOf(Namespaces, entry.Namespace) >= 0
        && now.ToUnixTimeMilliseconds() - entry.Latest.Time.PhysicalMs > (long)Default.TotalMilliseconds;
}
