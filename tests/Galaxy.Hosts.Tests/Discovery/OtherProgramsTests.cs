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
    private async Task SeesForeignAsync(string nodeId, string road)
    {
        var last = "";
        await Eventually.TrueAsync(
            async () =>
                await SeenAsync(nodeId) is { } seen
                && (last = seen.GetRawText()).Length > 0
                && seen.GetProperty("roads").TryGetProperty(road, out _)
                && seen.GetProperty("addresses").EnumerateArray().Select(address => address.GetString()!)
                    is var addresses
                && addresses.Contains(segment.C.Address.ToString())
                && addresses.Any(address => address.StartsWith("fe80:", StringComparison.Ordinal)),
            30,
            () => last
        );
        Assert.Equal(
            ("untrusted", "unsigned"),
            (
                (await SeenAsync(nodeId))!.Value.GetProperty("trust").GetString(),
                (await SeenAsync(nodeId))!.Value.GetProperty("distrust").GetString()
            )
        );
        await segment.OneClusterAsync("node-a", "node-b");
    }

    [Fact]
    public async Task Avahi_lists_us_and_we_list_what_it_publishes()
    {
        Needs("avahi-daemon", "avahi-daemon");
        Needs("avahi-publish", "avahi-utils");
        await using var avahi = StartAvahi(segment.C);
        var beside = Beside(avahi);

        var browsed = "";
        await Eventually.TrueAsync(
            async () =>
                (browsed = await BrowseAsync(segment.C, avahi)).Split('\n') is var lines
                && new[] { "IPv4;node-a;", "IPv6;node-a;", "IPv4;node-b;", "IPv6;node-b;" }.All(node =>
                    lines.Any(line => line.StartsWith('=') && line.Contains(node, StringComparison.Ordinal))
                ),
            30,
            () => browsed + string.Join('\n', avahi.Output)
        );
        Assert.Contains("\"cluster=lab\"", browsed, StringComparison.Ordinal);

        await using var published = segment.C.Start(
            "nsenter",
            null,
            [
                .. beside,
                "avahi-publish",
                "-s",
                "of-avahi",
                "_ufo-galaxy._tcp",
                "8071",
                "node_id=of-avahi",
                "cluster=lab",
                "type=coordinator",
            ]
        );
        await SeesForeignAsync("of-avahi", "mdns");
        await published.StopAsync();
        await Eventually.TrueAsync(async () => await SeenAsync("of-avahi") is null);
    }

    [Fact]
    public async Task Avahi_on_the_same_host_shares_the_port()
    {
        Needs("avahi-daemon", "avahi-daemon");
        Needs("avahi-publish", "avahi-utils");
        await using var avahi = StartAvahi(segment.B.Host);

        var browsed = "";
        await Eventually.TrueAsync(
            async () =>
                (browsed = await BrowseAsync(segment.B.Host, avahi)).Contains("IPv4;node-a;", StringComparison.Ordinal)
                && browsed.Contains("IPv4;node-b;", StringComparison.Ordinal),
            30,
            () => browsed + string.Join('\n', avahi.Output)
        );
        await using var published = segment.B.Host.Start(
            "nsenter",
            null,
            [
                .. Beside(avahi),
                "avahi-publish",
                "-s",
                "beside",
                "_ufo-galaxy._tcp",
                "8071",
                "node_id=beside",
                "cluster=lab",
            ]
        );
        await Eventually.TrueAsync(async () =>
            (await segment.B.SeenAsync()).ContainsKey("beside") && await SeenAsync("beside") is not null
        );
    }

    // A message bus of its own: the machine may have another Avahi.
    private static LabProcess StartAvahi(LabHost host) =>
        host.Start(
            "unshare",
            null,
            "-m",
            "bash",
            "-c",
            "mount -t tmpfs tmpfs /run && mkdir -p /run/dbus /run/avahi-daemon && dbus-daemon --system "
                + "--fork --nopidfile && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits"
        );

    private static string[] Beside(LabProcess avahi) => ["-t", $"{avahi.Id}", "-m"];

    private static Task<string> BrowseAsync(LabHost host, LabProcess avahi) =>
        host.RunAsync(
            "nsenter",
            [.. Beside(avahi), "bash", "-c", "avahi-browse -rtp _ufo-galaxy._tcp 2>/dev/null || true"]
        );

    [Fact]
    public async Task Python_zeroconf_finds_us_and_we_find_what_it_registers()
    {
        Assert.SkipUnless(
            File.Exists("/usr/lib/python3/dist-packages/zeroconf/__init__.py"),
            "needs zeroconf for Python (Debian: python3-zeroconf)"
        );
        await using var zeroconf = segment.C.Start(
            "/usr/bin/python3",
            null,
            "-u",
            "-c",
            $$"""
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
            """
        );

        await Eventually.TrueAsync(
            () =>
                Task.FromResult(
                    new[] { segment.A, segment.B }.All(node =>
                        zeroconf.Output.Any(line =>
                            line.StartsWith($"found {node.NodeId} 8071 ", StringComparison.Ordinal)
                            && line.Contains($"{node.Host.Address}", StringComparison.Ordinal)
                            && line.Contains("fe80:", StringComparison.Ordinal)
                            && line.Contains("b'lab'", StringComparison.Ordinal)
                        )
                    )
                ),
            30,
            () => string.Join('\n', zeroconf.Output)
        );
        await SeesForeignAsync("of-zeroconf", "mdns");
    }

    [Fact]
    public async Task Gssdp_discovers_us()
    {
        Needs("gssdp-discover", "gupnp-tools");
        var discovered = "";
        await Eventually.TrueAsync(
            async () =>
                new[] { segment.A, segment.B }.All(node =>
                    discovered.Contains($"http://{node.Host.Address}:8037/description/", StringComparison.Ordinal)
                )
                || (
                    discovered = await segment.C.RunAsync(
                        "timeout",
                        "10",
                        "gssdp-discover",
                        "-i",
                        "eth0",
                        "-t",
                        DeviceType,
                        "-n",
                        "4"
                    )
                )
                    is null,
            30,
            () => discovered
        );
    }

    /// <summary>The library beneath <c>gssdp-discover</c>, which speaks IPv6 as well.</summary>
    [Fact]
    public async Task Gssdp_finds_us_in_both_families_and_we_find_its_devices()
    {
        Assert.SkipUnless(
            Directory
                .GetFiles(
                    "/usr/lib",
                    "GSSDP-1.6.typelib",
                    new EnumerationOptions
                    {
                        RecurseSubdirectories = true,
                        MaxRecursionDepth = 3,
                        IgnoreInaccessible = true,
                    }
                )
                .Length > 0,
            "needs gssdp for Python (Debian: gir1.2-gssdp-1.6, python3-gi)"
        );
        _ = segment.Network;
        await using var gssdp = segment.C.Start(
            "/usr/bin/python3",
            null,
            "-u",
            "-c",
            $$"""
            import gi, http.server, socket, threading
            gi.require_version("GSSDP", "1.6")
            from gi.repository import Gio, GLib, GSSDP
            kind = "{{DeviceType}}"
            name = "uuid:aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
            about = f'''<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>1</minor></specVersion><device>
              <deviceType>{kind}</deviceType><friendlyName>of-gssdp</friendlyName><manufacturer>x</manufacturer><modelName>x</modelName>
              <UDN>{name}</UDN><presentationURL>http://{{segment.C.Address}}:8071/</presentationURL></device></root>'''.encode()
            class About(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200); self.send_header("Content-Length", str(len(about))); self.end_headers(); self.wfile.write(about)
                def log_message(self, *rest): pass
            class Server(http.server.ThreadingHTTPServer):
                address_family = socket.AF_INET6
            threading.Thread(target=Server(("::", 8099), About).serve_forever, daemon=True).start()
            digits = [line.split()[0] for line in open("/proc/net/if_inet6") if line.split()[5] == "eth0"][0]
            link_local = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))
            kept = []
            for address, host in (("{{segment.C.Address}}", "{{segment.C.Address}}"), (link_local, f"[{link_local}]")):
                client = GSSDP.Client.new_full("eth0", Gio.InetAddress.new_from_string(address), 0, GSSDP.UDAVersion.VERSION_1_1)
                browser = GSSDP.ResourceBrowser.new(client, kind)
                browser.connect("resource-available", lambda browser, usn, places: print("found", places[0]))
                browser.set_active(True)
                group = GSSDP.ResourceGroup.new(client)
                group.add_resource_simple(kind, f"{name}::{kind}", f"http://{host}:8099/about.xml")
                group.set_available(True)
                kept += [client, browser, group]
            GLib.MainLoop().run()
            """
        );

        await Eventually.TrueAsync(
            () =>
                Task.FromResult(
                    new[] { segment.A, segment.B }.All(node =>
                        gssdp.Output.Contains($"found http://{node.Host.Address}:8037{PathOf(gssdp, node)}")
                        && gssdp.Output.Any(line =>
                            line.StartsWith("found http://[fe80:", StringComparison.Ordinal)
                            && line.EndsWith(PathOf(gssdp, node), StringComparison.Ordinal)
                        )
                    )
                ),
            30,
            () => string.Join('\n', gssdp.Output)
        );
        await SeesForeignAsync("of-gssdp", "ssdp");

        // The same document is announced in both families.
        static string PathOf(LabProcess gssdp, GalaxyNode node) =>
            gssdp
                .Output.FirstOrDefault(line =>
                    line.StartsWith($"found http://{node.Host.Address}:8037/", StringComparison.Ordinal)
                )
                ?.Split(":8037")[1]
            ?? "/not-found";
    }

    [Theory]
    [InlineData("-4")]
    [InlineData("-6")]
    public async Task Miniupnpc_lists_us(string family)
    {
        Needs("upnpc", "miniupnpc");
        var listed = "";
        await Eventually.TrueAsync(async () => Lists(listed = await ListAsync()), 60, () => listed);

        // It ends with 1 when none of them is an internet gateway.
        async Task<string> ListAsync() =>
            await segment.C.RunAsync("bash", "-c", $"timeout 40 upnpc {family} -m eth0 -l 2>&1 || true");

        static bool Lists(string text) =>
            text.Split("desc: http://")
                .Skip(1)
                .Count(device => device.Contains(":8037/description/", StringComparison.Ordinal)) >= 2;
    }

    /// <summary>
    /// Byte for byte what the original program sends: a bare JSON object by broadcast, and a search with MX 3.
    /// </summary>
    [Fact]
    public async Task The_original_program_is_answered()
    {
        using var port = segment.C.OpenUdp(37021, IPAddress.Parse("239.255.255.250"));
        using var announcer = segment.C.OpenUdp();
        // It says so again and again; this host may have flooded the others a moment ago, and is not heard for the next
        // one.
        using var over = new CancellationTokenSource();
        var saying = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                await announcer.SendToAsync(
                    Encoding.UTF8.GetBytes(
                        $$"""{"type": "UFO_GALAXY_DISCOVER", "node_id": "Node_71", "timestamp": """
                            + $$"""{{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}}}"""
                    ),
                    new IPEndPoint(IPAddress.Broadcast, 37021)
                );
                await Task.Delay(TimeSpan.FromSeconds(1), over.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        });
        await HearAsync(announcer, "UFO_GALAXY_RESPONSE {", "\"node_id\":\"node-a\"");
        await HearAsync(port, "UFO_GALAXY_RESPONSE {", "\"node_id\":\"node-b\"");

        await over.CancelAsync();
        await saying;

        using var searcher = segment.C.OpenUdp();
        await searcher.SendToAsync(
            Encoding.ASCII.GetBytes(
                $"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 3\r\nST: {DeviceType}\r\n\r\n"
            ),
            new IPEndPoint(IPAddress.Parse("239.255.255.250"), 1900)
        );
        await HearAsync(searcher, "HTTP/1.1 200 OK", $"ST: {DeviceType}");
    }

    private async Task HearAsync(Socket socket, string start, string what)
    {
        var (buffer, heard) = (new byte[9000], new List<string>());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(8));
        try
        {
            do heard.Add(Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, patience.Token)));
            while (
                !heard[^1].StartsWith(start, StringComparison.Ordinal)
                || !heard[^1].Contains(what, StringComparison.Ordinal)
            );
        }
        catch (OperationCanceledException)
        {
            Assert.Fail(
                $"{start} … {what} did not come; what came was:\n{string.Join('\n', heard)}\n{await segment.A.RoadAsync("udp")}\n{string.Join('\n', segment.A.Discovery!.Output.TakeLast(10))}"
            );
        }
    }
}
