using System.Globalization;
using System.Net;

namespace Galaxy.Hosts;

/// <summary>
/// Places with hosts in them and a router between: packets go from place to place, multicast and broadcasts do not.
/// Every host knows the others by name. A place's line can be cut, which swallows what goes in or out and leaves the
/// place itself alone. Needs root, iproute2 and iptables.
/// </summary>
internal sealed class Internet : IAsyncDisposable
{
    private readonly string _router;
    private readonly Dictionary<string, LabHost> _hosts = new(StringComparer.Ordinal);
    private readonly List<string> _places = [];

    private Internet(string router) => _router = router;

    /// <summary>Why there can be none here; null: there can.</summary>
    public static string? Missing =>
        HostNetwork.Missing ?? (Command.IsInstalled("iptables") ? null : "cutting a line needs iptables");

    public LabHost this[string name] => _hosts[name];

    /// <param name="places">Each with the names of its hosts.</param>
    public static async Task<Internet> CreateAsync(IReadOnlyDictionary<string, string[]> places)
    {
        await HostNetwork.SweepAsync();
        var id = $"{HostNetwork.Prefix}{Environment.ProcessId}";
        var internet = new Internet(id + "r");
        try
        {
            await Command.RunAsync("ip", "netns", "add", internet._router);
            await Command.RunAsync("ip", "netns", "exec", internet._router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
            foreach (var (place, hosts) in places)
                await internet.AddAsync(id, place, hosts);
            var names = string.Concat(internet._hosts.Select(host => $"{host.Value.Address} {host.Key}\n"));
            foreach (var host in internet._hosts.Values)
            {
                Directory.CreateDirectory($"/etc/netns/{host.Name}");
                await File.WriteAllTextAsync($"/etc/netns/{host.Name}/hosts", "127.0.0.1 localhost\n" + names);
            }
            return internet;
        }
        catch
        {
            await internet.DisposeAsync();
            throw;
        }
    }

    private async Task AddAsync(string id, string place, string[] hosts)
    {
        _places.Add(place);
        var subnet = _places.Count;
        await HostNetwork.IpAsync(_router, $"link add {place} type bridge");
        await HostNetwork.IpAsync(_router, $"addr add 10.91.{subnet}.1/24 dev {place}");
        await HostNetwork.IpAsync(_router, $"link set {place} up");
        foreach (var name in hosts)
        {
            var index = _hosts.Count;
            var space = $"{id}{(char)('A' + index)}";
            await Command.RunAsync("ip", "netns", "add", space);
            var host = _hosts[name] = new LabHost(
                space,
                index,
                new IPAddress([10, 91, (byte)subnet, (byte)(index + 2)])
            );
            await HostNetwork.IpAsync(space, "link set lo up");
            await HostNetwork.IpAsync(_router, $"link add port{index} type veth peer name eth0 netns {space}");
            await HostNetwork.IpAsync(_router, $"link set port{index} master {place} up");
            await HostNetwork.IpAsync(space, $"addr add {host.Address}/24 dev eth0");
            await HostNetwork.IpAsync(space, "link set eth0 up");
            await HostNetwork.IpAsync(
                space,
                string.Create(CultureInfo.InvariantCulture, $"route add default via 10.91.{subnet}.1")
            );
        }
    }

    /// <summary>Nothing goes between this place and the others any more, and nobody is told.</summary>
    public async Task CutAsync(string place)
    {
        await RuleAsync("-I", "-i", place, "!", "-o", place);
        await RuleAsync("-I", "-o", place, "!", "-i", place);
    }

    public async Task MendAsync(string place)
    {
        await RuleAsync("-D", "-i", place, "!", "-o", place);
        await RuleAsync("-D", "-o", place, "!", "-i", place);
    }

    private Task RuleAsync(string verb, params string[] match) =>
        Command.RunAsync("ip", ["netns", "exec", _router, "iptables", verb, "FORWARD", .. match, "-j", "DROP"]);

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts.Values)
            await host.DisposeAsync();
        foreach (var name in _hosts.Values.Select(host => host.Name).Append(_router))
            await HostNetwork.RemoveAsync(name);
    }
}
