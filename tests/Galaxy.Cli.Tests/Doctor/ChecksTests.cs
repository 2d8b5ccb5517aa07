using System.Net;
using System.Net.Sockets;
using Galaxy.Cli.Doctor;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace Galaxy.Cli.Tests.Doctor;

public sealed class ChecksTests : IDisposable
{
    private readonly Folder _folder = new();
    private readonly ConfigurationManager _settings = new();

    public void Dispose()
    {
        _folder.Dispose();
        _settings.Dispose();
    }

    private Patient Patient(string? api = null, NodeOptions? node = null) =>
        new(
            _settings,
            node ?? new NodeOptions { NodeId = "a" },
            _folder.Path,
            new Uri(api ?? "http://127.0.0.1:1"),
            null
        );

    private static ClusterResponse Cluster(bool isLed, params NodeResponse[] nodes) =>
        new("galaxy", isLed ? new LeaderResponse("a", 7, "http://a", default) : null, nodes, 0, []);

    private static NodeResponse Node(string id, string state = "alive", string? version = null, string? url = null) =>
        new(id, "coordinator", state, url ?? "http://" + id, "1", 1, version ?? BuildVersion.Text, default);

    private static IEnumerable<(string, Severity)> Marks(IEnumerable<Finding> findings) =>
        findings.Select(finding => (finding.Check, finding.Severity));

    [Fact]
    public void A_missing_key_is_a_fault_and_one_that_others_can_read_a_warning()
    {
        Assert.Equal([("key", Severity.Fault)], Marks(MachineChecks.Key(Patient())));
        _settings["GALAXY_API_KEY"] = "a-key-of-a-test";
        Assert.Equal([("key", Severity.Fine)], Marks(MachineChecks.Key(Patient())));
        if (OperatingSystem.IsWindows())
            return;
        File.WriteAllText(_folder[".env"], "");
        File.SetUnixFileMode(_folder[".env"], UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Equal([("key", Severity.Fine), ("key", Severity.Warning)], Marks(MachineChecks.Key(Patient())));
    }

    [Fact]
    public void A_taken_port_is_named_with_its_owner_and_the_setting_and_a_worker_needs_none()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Who uses which port is only looked up on Linux.");
        using var owner = new TcpListener(IPAddress.Loopback, 0);
        owner.Start();
        var port = ((IPEndPoint)owner.LocalEndpoint).Port;
        _settings["API_PORT"] = $"{port}";

        var fault = MachineChecks
            .TcpPorts(Patient())
            .Single(finding => finding.What.StartsWith($"Port {port},", StringComparison.Ordinal));

        Assert.Equal(Severity.Fault, fault.Severity);
        Assert.Contains($"(process {Environment.ProcessId})", fault.What, StringComparison.Ordinal);
        Assert.Contains("API_PORT", fault.Cure, StringComparison.Ordinal);
        Assert.Empty(MachineChecks.TcpPorts(Patient(node: new NodeOptions { NodeId = "w", Role = NodeRole.Worker })));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_a_fault_and_nothing_is_left_in_one_that_can()
    {
        _settings["GALAXY_DATA"] = _folder["data"];
        Assert.DoesNotContain(MachineChecks.Disk(Patient()), finding =>
            finding.What.Contains("cannot", StringComparison.Ordinal)
        );
        Assert.Empty(Directory.GetFileSystemEntries(_folder["data"]));

        File.WriteAllText(_folder["file"], "");
        _settings["GALAXY_DATA"] = _folder["file/data"];
        Assert.Equal([("disk", Severity.Fault)], Marks(MachineChecks.Disk(Patient())));
    }

    [Theory]
    [InlineData(401, "{}", "key")]
    [InlineData(503, "{}", "leader")]
    [InlineData(200, "<html>", "cluster")]
    public async Task What_answers_for_the_cluster_decides_what_is_wrong(int status, string body, string check)
    {
        await using var server = await OneServer.StartAsync(status, body);

        var (findings, cluster) = await NetworkChecks.ClusterAsync(Patient(server.Url), default);

        Assert.Null(cluster);
        Assert.Equal([(check, Severity.Fault)], Marks(findings));
    }

    [Fact]
    public async Task Nobody_who_answers_is_a_warning_for_it_may_not_have_been_started()
    {
        using var nobody = new Socket(SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        var (findings, _) = await NetworkChecks.ClusterAsync(Patient($"http://{nobody.LocalEndPoint}"), default);

        Assert.Equal([("cluster", Severity.Warning)], Marks(findings));
    }

    [Theory]
    [InlineData(60, "60 s ahead of this machine's")]
    [InlineData(-60, "60 s behind this machine's")]
    [InlineData(3, null)]
    public async Task A_clock_that_differs_by_more_than_five_seconds_is_a_fault(int seconds, string? says)
    {
        await using var server = await OneServer.StartAsync(context =>
        {
            context.Response.Headers.Date = DateTimeOffset.UtcNow.AddSeconds(seconds).ToString("R");
            context.Response.StatusCode = 401;
            return Task.CompletedTask;
        });

        var (findings, _) = await NetworkChecks.ClusterAsync(Patient(server.Url), default);

        var clock = findings.SingleOrDefault(finding => finding.Check == "clock");
        Assert.Equal(says is null, clock is null);
        Assert.Matches(says is null ? "^$" : "\\b(59|60|61) s " + says[5..], clock?.What ?? "");
    }

    [Fact]
    public void Who_is_dead_or_of_another_version_is_named()
    {
        Assert.Equal(
            [("leader", Severity.Fine), ("versions", Severity.Fine)],
            Marks(NetworkChecks.Members(Cluster(true, Node("a"), Node("b"))))
        );
        var findings = NetworkChecks.Members(
            Cluster(false, Node("a"), Node("b"), Node("c", version: "0.1"), Node("d", "dead", "0.0"))
        );
        Assert.Equal(
            [("leader", Severity.Fault), ("nodes", Severity.Warning), ("versions", Severity.Warning)],
            Marks(findings)
        );
        Assert.Contains("0.1: c", findings.Last().What, StringComparison.Ordinal);
        // What is dead has no say about versions.
        Assert.DoesNotContain("0.0", findings.Last().What, StringComparison.Ordinal);
        Assert.Contains(NetworkChecks.Members(Cluster(true, Node("a", version: "9.9"))), finding =>
            finding.What.StartsWith("This program has version", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_coordinator_that_is_alive_and_cannot_be_reached_is_behind_a_firewall()
    {
        await using var server = await OneServer.StartAsync(200);
        using var nobody = new Socket(SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var (well, gone) = (Node("a", url: server.Url), Node("b", url: $"http://{nobody.LocalEndPoint}"));

        Assert.Equal(
            [("firewall", Severity.Fine)],
            Marks(await NetworkChecks.ReachAsync(Cluster(true, well), default))
        );
        var fault = Assert.Single(await NetworkChecks.ReachAsync(Cluster(true, well, gone), default));
        Assert.StartsWith("b is alive, but ", fault.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Addresses_that_settings_name_are_tried()
    {
        using var nobody = new Socket(SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var somebody = new TcpListener(IPAddress.Loopback, 0);
        somebody.Start();
        _settings["Galaxy_SEEDS"] = "given";
        var node = new NodeOptions
        {
            NodeId = "a",
            PrimaryUrl = new Uri($"ws://{nobody.LocalEndPoint}"),
            // A name of services is discovery's to look up.
            Seeds = ["_galaxy._tcp.example.org", $"{somebody.LocalEndpoint}"],
        };

        var findings = await NetworkChecks.NamedAsync(Patient(node: node), default);

        Assert.Equal([("network", Severity.Fault), ("network", Severity.Fine)], Marks(findings));
    }

    [Fact]
    public async Task Of_many_records_that_were_set_aside_five_are_named_and_an_older_cluster_has_no_list()
    {
        var records = string.Join(
            ',',
            Enumerable.Range(1, 7).Select(i => $$"""{"id":"r{{i}}","kind":"task","reason":"broken","key":"k"}""")
        );
        await using var server = await OneServer.StartAsync(200, $"[{records}]");
        await using var older = await OneServer.StartAsync(404);

        var findings = await RecordChecks.LookAsync(Patient(server.Url), default);

        Assert.Equal((6, "2 more records cannot be used."), (findings.Count, findings[^1].What));
        Assert.Empty(await RecordChecks.LookAsync(Patient(older.Url), default));
    }
}
