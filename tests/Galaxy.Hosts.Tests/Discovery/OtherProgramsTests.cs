using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Galaxy.Hosts.Tests.Discovery;

/// <summary>Other people's implementations on a third host: they see us, and we see what they announce.</summary>
public class OtherProgramsTests(Segment segment)
{
    private const string DeviceType = "urn:schemas-ufo-galaxy:device:Coordinator:1";

    private static void Needs(string program, string package) =>
        Assert.SkipUnless(Command.IsInstalled(program), $"needs {program} (Debian: {package})");

    private async Task<JsonElement?> SeenAsync(string nodeId) =>
        (await segment.A.SeenAsync()).TryGetValue(nodeId, out var seen) ? seen : null;

    // Untrusted, for nothing is signed, at addresses of both families, and never a member.
    private async Task SeesForeignAsync(string nodeId, string road, bool ipv6 = true)
    {
        await Eventually.TrueAsync(async () => await SeenAsync(nodeId) is { } seen && seen.GetProperty("roads").TryGetProperty(road, out _)
            && seen.GetProperty("addresses").EnumerateArray().Select(address => address.GetString()!) is var addresses
            && addresses.Contains(segment.C.Address.ToString()) && (!ipv6 || addresses.Any(address => address.StartsWith("fe80:", StringComparison.Ordinal))));
        Assert.Equal(("untrusted", "unsigned"), ((await SeenAsync(nodeId))!.Value.GetProperty("trust").GetString(), (await SeenAsync(nodeId))!.Value.GetProperty("distrust").GetString()));
        await segment.OneClusterAsync("node-a", "node-b");
    }

    [Fact]
    public async Task Avahi_lists_us_and_we_list_what_it_publishes()
    {
        Needs("avahi-daemon", "avahi-daemon");
        Needs("avahi-publish", "avahi-utils");
        _ = segment.Network;
        // A message bus of its own: the machine may have another Avahi.
        await using var avahi = segment.C.Start("unshare", null, "-m", "bash", "-c",
            "mount -t tmpfs tmpfs /run && mkdir -p /run/dbus /run/avahi-daemon && dbus-daemon --system --fork --nopidfile && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits");
        string[] beside = ["-t", $"{avahi.Id}", "-m"];

        var browsed = "";
        await Eventually.TrueAsync(async () => (browsed = await segment.C.RunAsync("nsenter", [.. beside, "bash", "-c", "avahi-browse -rtp _ufo-galaxy._tcp 2>/dev/null || true"])).Split('\n') is var lines
            && new[] { "IPv4;node-a;", "IPv6;node-a;", "IPv4;node-b;", "IPv6;node-b;" }.All(node => lines.Any(line => line.StartsWith('=') && line.Contains(node, StringComparison.Ordinal))),
            30, () => browsed + string.Join('\n', avahi.Output));
        Assert.Contains("\"cluster=lab\"", browsed, StringComparison.Ordinal);

        await using var published = segment.C.Start("nsenter", null, [.. beside, "avahi-publish", "-s", "of-avahi", "_ufo-galaxy._tcp", "8071", "node_id=of-avahi", "cluster=lab", "type=coordinator"]);
        await SeesForeignAsync("of-avahi", "mdns");
        await published.StopAsync();
        await Eventually.TrueAsync(async () => await SeenAsync("of-avahi") is null);
    }

    [Fact]
    public async Task Python_zeroconf_finds_us_and_we_find_what_it_registers()
    {
        Assert.SkipUnless(File.Exists("/usr/lib/python3/dist-packages/zeroconf/__init__.py"), "needs zeroconf for Python (Debian: python3-zeroconf)");
        await using var zeroconf = segment.C.Start("/usr/bin/python3", null, "-u", "-c", $$"""
            import socket, time
            from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf
            kind = "_ufo-galaxy._tcp.local."
            link_local = [line.split()[0] for line in open("/proc/net/if_inet6") if line.split()[5] == "eth0"][0]
            zc = Zeroconf(ip_version=IPVersion.All)
            info = ServiceInfo(kind, "of-zeroconf." + kind, 8071, properties={"node_id": "of-zeroconf", "cluster": "lab", "type": "coordinator"},
                server="of-zeroconf.local.", addresses=[socket.inet_aton("{{segment.C.Address}}"), bytes.fromhex(link_local)])
            zc.register_service(info)
            class Listener(ServiceListener):
                def add_service(self, zc, kind, name):
                    found = zc.get_service_info(kind, name)
                    if found:
                        print("found", name.split(".")[0], found.port, ",".join(found.parsed_addresses()), found.properties.get(b"cluster"))
                def update_service(self, zc, kind, name): self.add_service(zc, kind, name)
                def remove_service(self, zc, kind, name): print("lost", name.split(".")[0])
            ServiceBrowser(zc, kind, Listener())
            time.sleep(120)
            """);

        await Eventually.TrueAsync(() => Task.FromResult(new[] { segment.A, segment.B }.All(node => zeroconf.Output.Any(line =>
            line.StartsWith($"found {node.NodeId} 8071 ", StringComparison.Ordinal) && line.Contains($"{node.Host.Address}", StringComparison.Ordinal)
            && line.Contains("fe80:", StringComparison.Ordinal) && line.Contains("b'lab'", StringComparison.Ordinal)))), 30, () => string.Join('\n', zeroconf.Output));
        await SeesForeignAsync("of-zeroconf", "mdns");
    }

    [Fact]
    public async Task Gssdp_discovers_us_and_we_discover_its_devices()
    {
        Needs("gssdp-discover", "gupnp-tools");
        await Eventually.TrueAsync(async () => await segment.C.RunAsync("timeout", "10", "gssdp-discover", "-i", "eth0", "-t", DeviceType, "-n", "4") is var discovered
            && discovered.Contains($"http://{segment.A.Host.Address}:8037/description/", StringComparison.Ordinal) && discovered.Contains($"http://{segment.B.Host.Address}:8037/description/", StringComparison.Ordinal), 30);

        Assert.SkipUnless(Directory.GetFiles("/usr/lib", "GSSDP-1.6.typelib", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3, IgnoreInaccessible = true }).Length > 0, "needs gssdp for Python (Debian: gir1.2-gssdp-1.6, python3-gi)");
        await using var gssdp = segment.C.Start("/usr/bin/python3", null, "-u", "-c", $$"""
            import gi, http.server, threading
            gi.require_version("GSSDP", "1.6")
            from gi.repository import GLib, GSSDP
            about = b'''<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>1</minor></specVersion><device>
              <deviceType>{{DeviceType}}</deviceType><friendlyName>of-gssdp</friendlyName><manufacturer>x</manufacturer><modelName>x</modelName>
              <UDN>uuid:aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee</UDN><presentationURL>http://{{segment.C.Address}}:8071/</presentationURL></device></root>'''
            class About(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200); self.send_header("Content-Length", str(len(about))); self.end_headers(); self.wfile.write(about)
                def log_message(self, *rest): pass
            threading.Thread(target=http.server.ThreadingHTTPServer(("0.0.0.0", 8099), About).serve_forever, daemon=True).start()
            client = GSSDP.Client.new("eth0")
            group = GSSDP.ResourceGroup.new(client)
            group.add_resource_simple("{{DeviceType}}", "uuid:aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee::{{DeviceType}}", "http://{{segment.C.Address}}:8099/about.xml")
            group.set_available(True)
            GLib.MainLoop().run()
            """);
        await SeesForeignAsync("of-gssdp", "ssdp", ipv6: false);
        Assert.False(gssdp.HasEnded);
    }

    [Theory]
    [InlineData("-4")]
    [InlineData("-6")]
    public async Task Miniupnpc_lists_us(string family)
    {
        Needs("upnpc", "miniupnpc");
        var listed = "";
        await Eventually.TrueAsync(async () => Lists(listed = await ListAsync()), 30, () => listed);

        // It ends with 1 when none of them is an internet gateway.
        async Task<string> ListAsync() => await segment.C.RunAsync("bash", "-c", $"timeout 10 upnpc {family} -m eth0 -l 2>&1 || true");

        static bool Lists(string text) => text.Split("desc: http://").Skip(1).Count(device => device.Contains(":8037/description/", StringComparison.Ordinal)) >= 2;
    }

    /// <summary>Byte for byte what the original program sends: a bare JSON object by broadcast, and a search with MX 3.</summary>
    [Fact]
    public async Task The_original_program_is_answered()
    {
        using var port = segment.C.OpenUdp(37021, IPAddress.Parse("239.255.255.250"));
        using var announcer = segment.C.OpenUdp();
        await announcer.SendToAsync(Encoding.UTF8.GetBytes($$"""{"type": "UFO_GALAXY_DISCOVER", "node_id": "Node_71", "timestamp": {{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}}}"""), new IPEndPoint(IPAddress.Broadcast, 37021));
        Assert.StartsWith("UFO_GALAXY_RESPONSE {", await HearAsync(announcer, "\"node_id\":\"node-a\""), StringComparison.Ordinal);
        Assert.StartsWith("UFO_GALAXY_RESPONSE {", await HearAsync(port, "\"node_id\":\"node-b\""), StringComparison.Ordinal);

        using var searcher = segment.C.OpenUdp();
        await searcher.SendToAsync(Encoding.ASCII.GetBytes($"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 3\r\nST: {DeviceType}\r\n\r\n"), new IPEndPoint(IPAddress.Parse("239.255.255.250"), 1900));
        Assert.Contains($"ST: {DeviceType}", await HearAsync(searcher, "HTTP/1.1 200 OK"), StringComparison.Ordinal);
    }

    private static async Task<string> HearAsync(Socket socket, string what)
    {
        var buffer = new byte[9000];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(8));
        while (true)
        {
            var text = Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, patience.Token));
            if (text.Contains(what, StringComparison.Ordinal))
                return text;
        }
    }
}
