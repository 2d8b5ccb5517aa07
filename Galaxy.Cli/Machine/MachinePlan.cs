using System.Net;
using System.Net.Sockets;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using Microsoft.Extensions.Configuration;

namespace Galaxy.Cli.Machine;

/// <summary>What a machine is in its cluster.</summary>
internal enum MachineRole
{
    Coordinator,
    Standby,
    Witness,
    Worker,
}

/// <summary>What runs on this machine, worked out of its settings.</summary>
/// <param name="OwnStores">Embedded stores to start here.</param>
/// <param name="Stores">The connection string of all stores of the cluster.</param>
/// <param name="Host">Under which others reach this machine.</param>
/// <param name="Data">The folder for what is kept.</param>
/// <param name="Warnings">What works, but not as the user may expect.</param>
internal sealed record MachinePlan(
    MachineRole Role,
    NodeOptions Node,
    IConfiguration Settings,
    IReadOnlyList<EmbeddedStore> OwnStores,
    string Stores,
    string Host,
    string Data,
    IReadOnlyList<string> Warnings
)
{
    private const int CoordinatorPort = 9071;

    /// <summary>
    /// Where other coordinators may be. A machine that keeps a store mostly runs one; at a witness no coordinator
    /// answers, which costs an attempt now and then.
    /// </summary>
    public IReadOnlyList<string> Seeds { get; private init; } = Node.Seeds;

    /// <exception cref="SettingException">A setting is missing or not allowed.</exception>
    public static async Task<MachinePlan> MakeAsync(
        MachineRole role,
        NodeOptions node,
        IConfiguration settings,
        OwnAddresses own,
        CancellationToken cancellation
    )
    {
        var host = node.Advertise ?? OwnAddresses.Choose().ToString();
        var data = settings["GALAXY_DATA"] is { Length: > 0 } named
            ? Path.GetFullPath(named)
            : Path.GetFullPath(".galaxy");
        var warnings = new List<string>();
        // A Redis of the user takes precedence over embedded stores.
        if (
            role != MachineRole.Witness
            && (settings.GetConnectionString("redis") ?? settings["Aspire:StackExchange:Redis:ConnectionString"])
                is { Length: > 0 } redis
        )
            return new MachinePlan(role, node, settings, [], redis, host, data, warnings);

        var listed = EmbeddedStores.Read(settings);
        if (listed.Count > 0)
        {
            var ours = new List<EmbeddedStore>();
            foreach (var store in listed)
            {
                if (await IsOwnAsync(store.Host, node, own, cancellation))
                    ours.Add(store);
            }
            if (role == MachineRole.Witness && ours.Count == 0)
                throw new SettingException(
                    EmbeddedStores.Setting,
                    settings[EmbeddedStores.Setting],
                    $"for --witness: a list that names this machine ({host}, or GALAXY_ADVERTISE)"
                );
            if (role == MachineRole.Standby && ours.Count == 0 && listed.Count == 1)
                warnings.Add(OneStore(listed[0].Host));
            var others = listed
                .Except(ours)
                .Select(store =>
                    $"{(store.Host.Contains(':', StringComparison.Ordinal) ? $"[{store.Host}]" : store.Host)}:{CoordinatorPort}"
                );
            return new MachinePlan(role, node, settings, ours, Join(listed), host, data, warnings)
            {
                Seeds = [.. node.Seeds.Concat(others).Distinct(StringComparer.OrdinalIgnoreCase)],
            };
        }
        switch (role)
        {
            case MachineRole.Witness:
                throw new SettingException(
                    EmbeddedStores.Setting,
                    null,
                    "for --witness: the machines that keep a store, for instance home.example.org,"
                        + "cloud.example.org,third.example.org"
                );
            case MachineRole.Standby when node.PrimaryUrl is { } primary:
                warnings.Add(OneStore(primary.Host));
                return new MachinePlan(
                    role,
                    node,
                    settings,
                    [],
                    EmbeddedStores.On(primary.Host, settings).ConnectionString,
                    host,
                    data,
                    warnings
                );
            case MachineRole.Standby:
                throw new SettingException(
                    "PRIMARY_URL",
                    null,
                    $"ws://host:8765 of the machine that this one stands by for, or {EmbeddedStores.Setting}"
                );
            default:
                var alone = EmbeddedStores.On("127.0.0.1", settings);
                return new MachinePlan(role, node, settings, [alone], alone.ConnectionString, host, data, warnings);
        }
    }

    private static string Join(IEnumerable<EmbeddedStore> stores) =>
        string.Join('|', stores.Select(store => store.ConnectionString));

    private static string OneStore(string host) =>
        $"the only store is on {host}. When a process of that machine dies this one takes over, but when "
        + "the machine itself is lost nobody can lead until it is back. "
        + $"Name three stores in {EmbeddedStores.Setting} on all machines "
        + "(docs/scenarios/2-local-master-cloud-standby.md).";

    private static async Task<bool> IsOwnAsync(
        string host,
        NodeOptions node,
        OwnAddresses own,
        CancellationToken cancellation
    )
    {
        if (own.IsOwn(host) || string.Equals(host, node.Advertise, StringComparison.OrdinalIgnoreCase))
            return true;
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(TimeSpan.FromSeconds(3));
            return (await Dns.GetHostAddressesAsync(host, patience.Token)).Any(address =>
                own.IsOwn(address.ToString())
            );
        }
        catch (Exception unknown) when (unknown is SocketException or OperationCanceledException)
        {
            // Other machines may know the name; it is no address of this machine.
            return false;
        }
    }
}
