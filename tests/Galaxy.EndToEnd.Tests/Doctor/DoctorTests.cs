using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Galaxy.EndToEnd.Tests.Doctor;

/// <summary>A cluster that is well, for what can only be wrong with one.</summary>
public sealed class WellGalaxy : RunningGalaxy
{
    protected override string[] Options => ["--scenario", "cloud"];
}

/// <summary>
/// Faults are planted one at a time; <c>galaxy doctor</c> finds each, names it and its cure, and finds nothing where
/// nothing is wrong.
/// </summary>
[Collection("system")]
public sealed class DoctorTests(WellGalaxy galaxy) : IClassFixture<WellGalaxy>, IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("galaxy-doctor-");
    private readonly Dictionary<string, string> _settings = [];

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Nothing_is_wrong_where_nothing_is()
    {
        var findings = await LookAsync(0);
        Assert.DoesNotContain(findings, finding => finding.GetProperty("severity").GetString() != "fine");
        Assert.Contains(findings, finding => Says(finding, "leads under token"));
    }

    [Fact]
    public async Task A_setting_that_is_not_allowed()
    {
        _settings["FAILOVER_MODE"] = "both";
        await FindsAsync("settings", "FAILOVER_MODE is 'both'", "active-passive, multi-master");
    }

    [Fact]
    public async Task A_mistake_in_config_json()
    {
        await File.WriteAllTextAsync(
            Path.Combine(_folder.FullName, "config.json"),
            """{"node_id": "a", "rolle": "coordinator"}"""
        );
        await FindsAsync("settings", "rolle", "node_id");
    }

    [Fact]
    public async Task No_key()
    {
        var (code, output) = await GalaxyProgram.RunAsync(
            ["doctor", "--json", "--url", galaxy.Http.BaseAddress!.ToString()],
            _folder.FullName
        );
        Assert.Equal(1, code);
        Find(output, "key", "GALAXY_API_KEY is not set", "deploy.sh");
    }

    [Fact]
    public async Task Another_key_than_the_clusters()
    {
        var (code, output) = await GalaxyProgram.RunAsync(
            ["doctor", "--json", "--url", galaxy.Http.BaseAddress!.ToString(), "--api-key", "gx-some-other-key"],
            _folder.FullName
        );
        Assert.Equal(1, code);
        Find(output, "key", "refuses this key", "copy GALAXY_API_KEY");
    }

    [Fact]
    public async Task A_key_that_everybody_can_read()
    {
        var env = Path.Combine(_folder.FullName, ".env");
        await File.WriteAllTextAsync(env, $"GALAXY_API_KEY={galaxy.Key}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(env, (UnixFileMode)0b110_100_100);
        await FindsAsync("key", "can read .env", "chmod 600", code: 0);
    }

    [Fact]
    public async Task A_port_that_another_program_has()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        _settings["WEB_UI_PORT"] = $"{port}";
        await FindsAsync("ports", $"Port {port}, which the console needs, is taken by ", "WEB_UI_PORT");
    }

    [Fact]
    public async Task A_master_that_no_name_server_knows()
    {
        _settings["MASTER_URL"] = "ws://nobody.invalid:8765";
        await FindsAsync("names", "MASTER_URL names 'nobody.invalid'", "Correct the name");
    }

    [Fact]
    public async Task A_master_at_which_nothing_listens()
    {
        _settings["MASTER_URL"] = $"ws://127.0.0.1:{Ports.Free()}";
        await FindsAsync("network", "nothing listens at 127.0.0.1", "./start.sh");
    }

    [Fact]
    public async Task A_master_behind_a_firewall()
    {
        // Its queue is full: what knocks is swallowed, as a firewall does.
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        deaf.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        deaf.Listen(0);
        var knocking = Enumerable
            .Range(0, 4)
            .Select(_ =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
                {
                    Blocking = false,
                };
                try
                {
                    socket.Connect(deaf.LocalEndPoint!);
                }
                catch (SocketException)
                {
                    // Under way.
                }
                return socket;
            })
            .ToList();
        _settings["PRIMARY_URL"] = $"ws://127.0.0.1:{((IPEndPoint)deaf.LocalEndPoint!).Port}";
        await FindsAsync("firewall", "does not answer at all", "let TCP");
        knocking.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task A_store_that_is_away_and_one_that_refuses_the_password_and_ones_that_keep_nothing()
    {
        _settings["ConnectionStrings__redis"] = $"127.0.0.1:{Ports.Free()}";
        await FindsAsync("store", "does not answer", "Start it");

        Assert.SkipUnless(File.Exists("/usr/bin/redis-server"), "this needs redis-server");
        var port = Ports.Free();
        using var redis = Process.Start(
            new ProcessStartInfo(
                "redis-server",
                [
                    "--port",
                    $"{port}",
                    "--bind",
                    "127.0.0.1",
                    "--requirepass",
                    "right",
                    "--save",
                    "",
                    "--appendonly",
                    "no",
                    "--maxmemory-policy",
                    "allkeys-lru",
                ]
            )
            {
                RedirectStandardOutput = true,
                WorkingDirectory = _folder.FullName,
            }
        )!;
        try
        {
            _settings["ConnectionStrings__redis"] = $"127.0.0.1:{port},password=wrong";
            await Eventually.TrueAsync(async () =>
                (await RunAsync()).Output.Contains("refuses the password", StringComparison.Ordinal)
            );
            await FindsAsync("store", "refuses the password", "Correct the password");
            _settings["ConnectionStrings__redis"] = $"127.0.0.1:{port},password=right";
            await FindsAsync("store", "keeps no append-only file", "appendonly yes");
            await FindsAsync("store", "throws away what it likes", "noeviction");
            // One of three away is no fault of the cluster's yet.
            _settings["ConnectionStrings__redis"] =
                $"127.0.0.1:{port},password=right|127.0.0.1:{Ports.Free()}|localhost:{port},password=right";
            await FindsAsync("store", "1 of 3 stores are away", "brought up to date by itself");
        }
        finally
        {
            redis.Kill();
            await redis.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_and_a_disk_that_is_full()
    {
        var file = Path.Combine(_folder.FullName, "data");
        await File.WriteAllTextAsync(file, "a file where a folder should be");
        _settings["GALAXY_DATA"] = file;
        await FindsAsync("disk", "cannot be written", "GALAXY_DATA");

        Assert.SkipUnless(
            Environment.UserName == "root" && OperatingSystem.IsLinux(),
            "a small disk is mounted by root"
        );
        var small = _folder.CreateSubdirectory("small").FullName;
        await Process.Start("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", small]).WaitForExitAsync();
        try
        {
            _settings["GALAXY_DATA"] = small;
            await FindsAsync("disk", "Only ", "Free some space");
        }
        finally
        {
            await Process.Start("umount", [small]).WaitForExitAsync();
        }
    }

    [Theory]
    [InlineData("clock", "behind this machine's", "NTP", 0)]
    [InlineData("versions", "0.0.9: old-router", "the same one", 0)]
    [InlineData("leader", "Nobody leads", "majority of the stores", 1)]
    [InlineData("nodes", "b at http://127.0.0.1:1 is dead", "Start it again", 2)]
    [InlineData("firewall", "c is alive, but 127.0.0.1:1 cannot be reached", "GALAXY_ADVERTISE", 3)]
    public async Task What_a_cluster_says_of_itself(string check, string what, string cure, int kind)
    {
        using var cluster = new Told(
            await galaxy.Http.GetStringAsync("/api/v1/cluster"),
            check == "clock" ? DateTimeOffset.UtcNow.AddMinutes(-3) : DateTimeOffset.UtcNow,
            kind
        );
        var (_, output) = await GalaxyProgram.RunAsync(
            ["doctor", "--json", "--url", cluster.Address, "--api-key", galaxy.Key],
            _folder.FullName,
            _settings
        );
        Find(output, check, what, cure);
    }

    private async Task FindsAsync(string check, string what, string cure, int code = 1)
    {
        var (ended, output) = await RunAsync();
        Assert.True(ended == code || code == 0, output);
        Find(output, check, what, cure);
    }

    private static void Find(string output, string check, string what, string cure) =>
        Assert.Contains(JsonSerializer.Deserialize<List<JsonElement>>(output)!, finding =>
            finding.GetProperty("check").GetString() == check
            && finding.GetProperty("severity").GetString() != "fine"
            && Says(finding, what)
            && (finding.GetProperty("cure").GetString() + finding.GetProperty("what").GetString()).Contains(
                cure,
                StringComparison.Ordinal
            )
        );

    private static bool Says(JsonElement finding, string what) =>
        finding.GetProperty("what").GetString()!.Contains(what, StringComparison.Ordinal);

    private Task<(int Code, string Output)> RunAsync() =>
        GalaxyProgram.RunAsync(
            ["doctor", "--json", "--url", galaxy.Http.BaseAddress!.ToString(), "--api-key", galaxy.Key],
            _folder.FullName,
            _settings
        );

    private async Task<List<JsonElement>> LookAsync(int code)
    {
        // Ports that Galaxy needs may be somebody else's on the machine of a test.
        foreach (
            var setting in (string[])["WEB_UI_PORT", "API_PORT", "WEBSOCKET_PORT", "OTLP_GRPC_PORT", "OTLP_HTTP_PORT"]
        )
            _settings[setting] = $"{Ports.Free()}";
        var (ended, output) = await RunAsync();
        Assert.True(ended == code, output);
        return JsonSerializer.Deserialize<List<JsonElement>>(output)!;
    }

    /// <summary>A machine that tells of a cluster what a real one would in that state.</summary>
    private sealed class Told : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _over = new();
        private readonly string _truth;

        public Told(string truth, DateTimeOffset clock, int kind)
        {
            _truth = truth;
            _listener.Start();
            _ = ServeAsync(clock, kind);
        }

        public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

        // What a real cluster says, but for what is wrong here.
        private string Body(int kind)
        {
            var said = JsonNode.Parse(_truth)!.AsObject();
            var nodes = said["nodes"]!.AsArray();
            var first = nodes[0]!.AsObject();
            first["url"] = Address;
            nodes.Add(Another(first, "b", kind == 2 ? "dead" : "alive", kind == 2 ? "http://127.0.0.1:1" : Address));
            nodes.Add(Another(first, "c", "alive", kind == 3 ? "http://127.0.0.1:1" : Address));
            if (kind == 1)
                said.Remove("leader");
            if (kind == 0)
            {
                var router = said["services"]!
                    .AsArray()
                    .First(service => service!["kind"]!.GetValue<string>() == "router")!;
                (router["id"], router["version"]) = ("old-router", "0.0.9");
            }
            return said.ToJsonString();
        }

        private static JsonNode Another(JsonObject node, string id, string state, string url)
        {
            var other = node.DeepClone();
            (other["node_id"], other["boot"], other["state"], other["url"]) = (id, id, state, url);
            return other;
        }

        private async Task ServeAsync(DateTimeOffset clock, int kind)
        {
            while (!_over.IsCancellationRequested)
            {
                using var client = await _listener.AcceptTcpClientAsync(_over.Token);
                await using var stream = client.GetStream();
                _ = await stream.ReadAsync(new byte[4096], _over.Token);
                var body = Encoding.UTF8.GetBytes(Body(kind));
                await stream.WriteAsync(
                    Encoding.ASCII.GetBytes(
                        $"HTTP/1.1 200 OK\r\nDate: {clock:R}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"
                    ),
                    _over.Token
                );
                await stream.WriteAsync(body, _over.Token);
            }
        }

        public void Dispose()
        {
            _over.Cancel();
            _listener.Dispose();
            _over.Dispose();
        }
    }
}
