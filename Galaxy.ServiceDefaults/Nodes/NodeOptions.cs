namespace Galaxy.ServiceDefaults.Nodes;

/// <summary>Which nodes may lead.</summary>
public enum NodeRole
{
    Coordinator,
    Standby,
    Worker,
}

/// <summary>Whether one or every coordinator answers reads.</summary>
public enum FailoverMode
{
    ActivePassive,
    MultiMaster,
}

/// <summary>
/// What every part of Galaxy is told about the node that it runs on. Read once at start by
/// <see cref="NodeOptionsReader"/>; immutable.
/// </summary>
public sealed record NodeOptions
{
    /// <summary><c>Galaxy_NODE_ID</c>: unique in the cluster; the host name by default.</summary>
    public required string NodeId { get; init; }

    /// <summary><c>Galaxy_NODE_ROLE</c>.</summary>
    public NodeRole Role { get; init; }

    /// <summary><c>Galaxy_CLUSTER</c>.</summary>
    public string Cluster { get; init; } = "galaxy";

    /// <summary><c>GALAXY_API_KEY</c>: the shared key; null in development on loopback.</summary>
    public string? ApiKey
    {
        get;
        init => (field, ApiKeyFingerprint) = (value, value is null ? null : Nodes.ApiKey.Fingerprint(value));
    }

    /// <summary>What presented keys are compared with; null without a key.</summary>
    public byte[]? ApiKeyFingerprint { get; private init; }

    /// <summary>
    /// <c>GALAXY_API_KEY_ALSO</c>: while the key is changed, the next one or the one before: taken as well, never used.
    /// Null: none.
    /// </summary>
    public string? OtherApiKey
    {
        get;
        init => (field, OtherApiKeyFingerprint) = (value, value is null ? null : Nodes.ApiKey.Fingerprint(value));
    }

    /// <summary>As <see cref="ApiKeyFingerprint"/>, of <see cref="OtherApiKey"/>.</summary>
    public byte[]? OtherApiKeyFingerprint { get; private init; }

    /// <summary>
    /// <c>MASTER_URL</c>: where a worker connects, the next ones when the first does not answer; empty: found by
    /// discovery.
    /// </summary>
    public IReadOnlyList<Uri> MasterUrls { get; init; } = [];

    /// <summary><c>PRIMARY_URL</c>: the coordinator that a standby follows; null: found by discovery.</summary>
    public Uri? PrimaryUrl { get; init; }

    /// <summary><c>FAILOVER_MODE</c>.</summary>
    public FailoverMode FailoverMode { get; init; }

    /// <summary><c>config.json</c>: <c>failover.primary</c>, the first candidate for leadership.</summary>
    public string? FailoverPrimary { get; init; }

    /// <summary><c>config.json</c>: <c>failover.secondaries</c>, the next ones in order.</summary>
    public IReadOnlyList<string> FailoverSecondaries { get; init; } = [];

    /// <summary>
    /// <c>FAILOVER_AUTO_FAILBACK</c>: a primary that has recovered leads again; until the API says otherwise.
    /// </summary>
    public bool AutoFailback { get; init; }

    /// <summary><c>GALAXY_LEASE</c>: <c>local</c>, <c>lan</c> or <c>wan</c>.</summary>
    public string LeasePreset { get; init; } = "lan";

    /// <summary><c>GALAXY_DATA</c>: where this node keeps what must survive its restart.</summary>
    public string DataFolder { get; init; } = Path.Combine(Path.GetTempPath(), "galaxy");

    /// <summary>
    /// <c>GALAXY_COMMAND_CHECKS</c>: whether health checks that run a program are allowed on this node. Off by default:
    /// a caller that may set checks could run any program.
    /// </summary>
    public bool CommandChecks { get; init; }

    public bool MdnsEnabled { get; init; } = true;
    public bool UpnpEnabled { get; init; } = true;
    public bool BroadcastEnabled { get; init; } = true;

    /// <summary><c>NODE71_BROADCAST_PORT</c> (UDP).</summary>
    public int BroadcastPort { get; init; } = 37021;

    /// <summary>
    /// <c>GALAXY_BIND</c>: the address to listen on; null: every address with a key, loopback without; 127.0.0.1
    /// includes ::1.
    /// </summary>
    public string? Bind { get; init; }

    /// <summary>
    /// <c>GALAXY_ADVERTISE</c>: the host name or address under which others reach this node; null: the bound one.
    /// </summary>
    public string? Advertise { get; init; }

    /// <summary><c>Galaxy_SEEDS</c>: gRPC addresses of other coordinators.</summary>
    public IReadOnlyList<string> Seeds { get; init; } = [];
}

/// <summary>A setting that cannot be used: says which, what it was and what is allowed.</summary>
public sealed class SettingException(string key, string? value, string allowed)
    : Exception($"{key} is '{value}', which is not allowed. Allowed: {allowed}.")
{
    public string Key { get; } = key;
}
