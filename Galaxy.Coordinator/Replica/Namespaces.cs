namespace Galaxy.Coordinator.Replica;

/// <summary>
/// The namespaces of the replicated map that Galaxy itself uses. What people keep in the state has other names.
/// </summary>
internal static class Namespaces
{
    public const string Devices = "devices";
    public const string Groups = "groups";

    /// <summary>One entry for each device of each group: <c>group/device</c>.</summary>
    public const string GroupMembers = "group_members";
    public const string Failover = "failover";
    public const string Services = "services";
    public const string Config = "config";
    public const string ConfigHistory = "config_history";

    /// <summary>
    /// Access keys that have been issued. Their hashes are not public: the state's own API does not show them.
    /// </summary>
    public const string Access = "access";
    public const string Audit = "audit";

    private static readonly string[] All =
    [
        Devices,
        Groups,
        GroupMembers,
        Failover,
        Services,
        Config,
        ConfigHistory,
        Access,
        Audit,
    ];

    /// <summary>
    /// The namespaces that can be written when the state is full. What devices report of themselves is limited like any
    /// client's data.
    /// </summary>
    public static IReadOnlySet<string> WithRoom { get; } =
        new HashSet<string>([Failover, Services, Config, ConfigHistory, Access, Audit], StringComparer.Ordinal);

    /// <summary>What every service hears as one snapshot is bounded, in bytes.</summary>
    public static IReadOnlyDictionary<string, long> Rooms { get; } =
        new Dictionary<string, long>(StringComparer.Ordinal)
        {
            [Devices] = 16 * 1024 * 1024,
            [Services] = 8 * 1024 * 1024,
        };

    // Those that a snapshot may set back. What parts of Galaxy say of themselves, keys and the audit log are not among
    // them.
    private static readonly string[] Restored = [Groups, GroupMembers, Failover, Config, ConfigHistory];

    /// <summary>
    /// True for a namespace that changes only through an API of its own, and for its name in other letters, which
    /// people would take for it. The general API of the state asks this before it writes.
    /// </summary>
    public static bool IsReserved(string ns) => All.Contains(ns, StringComparer.OrdinalIgnoreCase);

    /// <summary>True when restoring a snapshot may write the namespace.</summary>
    public static bool IsRestorable(string ns) => !IsReserved(ns) || Array.IndexOf(Restored, ns) >= 0;
}
