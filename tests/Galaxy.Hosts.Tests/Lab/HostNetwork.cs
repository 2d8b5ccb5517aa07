using System.Globalization;

namespace Galaxy.Hosts;

/// <summary>
/// Hosts on one segment: network namespaces, each with a cable to a bridge in a namespace of its own, at 10.88.0.1, .2
/// and so on, with the link-local IPv6 address that the kernel gives. Nothing of it is seen by the machine's own
/// network. Needs root and iproute2.
/// </summary>
internal sealed class HostNetwork : IAsyncDisposable
{
    internal const string Prefix = "gxl";

    private readonly string _switch;
    private readonly List<LabHost> _hosts = [];

    private HostNetwork(string name) => _switch = name;

    /// <summary>Why there can be no such network here; null: there can.</summary>
    public static string? Missing =>
        !OperatingSystem.IsLinux() || Environment.UserName != "root"
            ? "several hosts are made of network namespaces, which needs Linux and root"
        : !Command.IsInstalled("ip") ? "several hosts are made of network namespaces, which needs ip (Debian: iproute2)"
        : !Command.IsInstalled("redis-server") ? "the hosts need redis-server on PATH"
        : null;

    public LabHost this[int index] => _hosts[index];

    public IReadOnlyList<LabHost> Hosts => _hosts;

    public static async Task<HostNetwork> CreateAsync(int hosts)
    {
        await SweepAsync();
        var id = $"{Prefix}{Environment.ProcessId}";
        var network = new HostNetwork(id + "s");
        try
        {
            await Command.RunAsync("ip", "netns", "add", network._switch);
            await IpAsync(network._switch, "link add br0 type bridge");
            await IpAsync(network._switch, "link set br0 up");
            for (var i = 0; i < hosts; i++)
                network._hosts.Add(await network.AddAsync($"{id}{(char)('a' + i)}", i));
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    private async Task<LabHost> AddAsync(string name, int index)
    {
        await Command.RunAsync("ip", "netns", "add", name);
        await IpAsync(name, "link set lo up");
        await IpAsync(_switch, $"link add port{index} type veth peer name eth0 netns {name}");
        await IpAsync(_switch, $"link set port{index} master br0 up");
        var host = new LabHost(name, index);
        await IpAsync(name, $"addr add {host.Address}/16 dev eth0");
        await IpAsync(name, "link set eth0 up");
        // As a router would give; nobody is there.
        await IpAsync(name, "route add default dev eth0");
        return host;
    }

    /// <summary><c>ip -n name …</c>.</summary>
    public static Task<string> IpAsync(string name, string arguments) =>
        Command.RunAsync("ip", ["-n", name, .. arguments.Split(' ')]);

    // What a run that was killed left behind.
    internal static async Task SweepAsync()
    {
        foreach (
            var name in (await Command.RunAsync("ip", "netns", "list"))
                .Split('\n')
                .Select(line => line.Split(' ')[0])
                .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
        )
        {
            if (
                int.TryParse(name[Prefix.Length..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var owner)
                && !Directory.Exists($"/proc/{owner}")
            )
                await RemoveAsync(name);
        }
    }

    internal static async Task RemoveAsync(string name)
    {
        foreach (
            var pid in (await Command.TryAsync("ip", "netns", "pids", name)).Output.Split(
                '\n',
                StringSplitOptions.RemoveEmptyEntries
            )
        )
            await Command.TryAsync("kill", "-9", pid);
        await Command.TryAsync("ip", "netns", "del", name);
        if (Directory.Exists($"/etc/netns/{name}"))
            Directory.Delete($"/etc/netns/{name}", recursive: true);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
            await host.DisposeAsync();
        foreach (var name in _hosts.Select(host => host.Name).Append(_switch))
            await RemoveAsync(name);
    }
}
