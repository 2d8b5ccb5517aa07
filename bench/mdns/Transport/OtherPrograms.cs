using Galaxy.Hosts;

namespace Galaxy.Bench.Mdns.Transport;

/// <summary>Avahi and zeroconf for Python, on a host of the network.</summary>
internal static class OtherPrograms
{
    private const string ZeroconfScript = """
        import socket, sys, time
        from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf
        kind = "_ufo-galaxy._tcp.local."
        zc = Zeroconf(ip_version=IPVersion.All)
        zc.register_service(ServiceInfo(kind, "of-zeroconf." + kind, 8071,
            properties={"node_id": "of-zeroconf", "cluster": "lab"},
            server="of-zeroconf.local.", addresses=[socket.inet_aton(sys.argv[1])]))
        class Listener(ServiceListener):
            def add_service(self, zc, kind, name):
                found = zc.get_service_info(kind, name)
                print("found" if found else "unresolved", name.split(".")[0], flush=True)
            def update_service(self, zc, kind, name): self.add_service(zc, kind, name)
            def remove_service(self, zc, kind, name): print("lost", name.split(".")[0], flush=True)
        ServiceBrowser(zc, kind, Listener())
        time.sleep(120)
        """;

    /// <summary>What is missing for the measurement; null when it can run.</summary>
    public static string? Missing =>
        HostNetwork.Missing
        ?? (
            !Command.IsInstalled("avahi-daemon") || !Command.IsInstalled("avahi-publish")
                ? "avahi-daemon and avahi-utils are needed"
            : !File.Exists("/usr/lib/python3/dist-packages/zeroconf/__init__.py")
                ? "zeroconf for Python is needed (Debian: python3-zeroconf)"
            : null
        );

    /// <summary>Avahi with a message bus of its own: the machine may have another.</summary>
    public static LabProcess StartAvahi(LabHost host) =>
        host.Start(
            "unshare",
            null,
            "-m",
            "bash",
            "-c",
            "mount -t tmpfs tmpfs /run && mkdir -p /run/dbus /run/avahi-daemon"
                + " && dbus-daemon --system --fork --nopidfile"
                + " && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits"
        );

    /// <summary>The lines of avahi-browse that tell a resolved instance.</summary>
    public static async Task<IReadOnlyList<string>> BrowseAsync(LabHost host, LabProcess avahi)
    {
        var text = await host.RunAsync(
            "nsenter",
            "-t",
            $"{avahi.Id}",
            "-m",
            "bash",
            "-c",
            "timeout 15 avahi-browse -rtp _ufo-galaxy._tcp 2>/dev/null || true"
        );
        return [.. text.Split('\n').Where(line => line.StartsWith('='))];
    }

    public static LabProcess Publish(LabHost host, LabProcess avahi, string instance) =>
        host.Start(
            "nsenter",
            null,
            "-t",
            $"{avahi.Id}",
            "-m",
            "avahi-publish",
            "-s",
            instance,
            "_ufo-galaxy._tcp",
            "8071",
            $"node_id={instance}",
            "cluster=lab"
        );

    public static LabProcess StartZeroconf(LabHost host) =>
        host.Start("/usr/bin/python3", null, "-u", "-c", ZeroconfScript, $"{host.Address}");
}
