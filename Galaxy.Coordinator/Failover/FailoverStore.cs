using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Failover;

/// <summary>
/// The failover settings, the nodes that failed, and which node lost the lease when: in replicated state.
/// </summary>
internal sealed class FailoverStore(ReplicatedState replica, Quarantine quarantine, NodeOptions node, TimeProvider time)
{
    private const string SettingsKey = "settings";
    private const string FailedPrefix = "failed/";
    private const string LossesPrefix = "losses/";
    private const int LossesKept = 20;

    private readonly FailoverSettings _configured = new()
    {
        Primary = node.FailoverPrimary,
        Secondaries = node.FailoverSecondaries,
        AutoFailback = node.AutoFailback,
    };
    private Tuple<StateEntry, FailoverSettings>? _read;

    /// <summary>
    /// What was set, or what this node was configured with. Asked for several times a second, parsed once a change.
    /// </summary>
    public FailoverSettings Settings
    {
        get
        {
            if (replica.Get(Namespaces.Failover, SettingsKey) is not { } entry)
                return _configured;
            if (_read is { } read && ReferenceEquals(read.Item1, entry))
                return read.Item2;
            var settings = quarantine.Use(entry.Namespace, entry.Key, () =>
                quarantine.Read<FailoverSettings>(entry) is { } stored ? FailoverLimits.Checked(stored) : null
            ) ?? _configured;
            _read = Tuple.Create(entry, settings);
            return settings;
        }
    }

    public void Set(FailoverSettings settings) => Write(SettingsKey, settings);

    public IReadOnlyList<FailedNode> Failed => List<FailedNode>(FailedPrefix);

    public void MarkFailed(string nodeId, string reason) =>
        Write(FailedPrefix + nodeId, new FailedNode(nodeId, reason, time.GetUtcNow()));

    public void MarkRecovered(string nodeId) => replica.Delete(Namespaces.Failover, FailedPrefix + nodeId);

    /// <summary>When a node lost the lease; wall time, for the order of candidates only.</summary>
    public IReadOnlyList<TimeSpan> LossesOf(string nodeId) =>
        [
            .. (Read<long[]>(LossesPrefix + nodeId) ?? [])
                .Where(ms => ms >= 0 && ms <= time.GetUtcNow().ToUnixTimeMilliseconds())
                .TakeLast(LossesKept)
                .Select(ms => TimeSpan.FromMilliseconds(ms)),
        ];

    public void AddLoss(string nodeId) =>
        Write(
            LossesPrefix + nodeId,
            (Read<long[]>(LossesPrefix + nodeId) ?? [])
                .Append(time.GetUtcNow().ToUnixTimeMilliseconds())
                .TakeLast(LossesKept)
                .ToArray()
        );

    private T? Read<T>(string key)
        where T : class => replica.Get(Namespaces.Failover, key) is { } entry ? quarantine.Read<T>(entry) : null;

    private List<T> List<T>(string prefix)
        where T : class =>
        [
            .. replica
                .List(Namespaces.Failover)
                .Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
                .Select(quarantine.Read<T>)
                .OfType<T>(),
        ];

    private void Write<T>(string key, T value) =>
        replica.Put(Namespaces.Failover, key, JsonSerializer.SerializeToUtf8Bytes(value, GalaxyJson.Options));
}
