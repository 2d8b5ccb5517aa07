using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Cli.Doctor;

/// <summary>
/// Checks that ask other nodes: whether they can be reached, their clocks, their versions, the leader.
/// </summary>
internal static class NetworkChecks
{
    /// <summary>
    /// Beyond it packets of discovery and tokens between services may be refused as stale; the lease itself needs no
    /// common time.
    /// </summary>
    private static readonly TimeSpan MostSkew = TimeSpan.FromSeconds(5);

    public static async Task<(IReadOnlyList<Finding> Findings, ClusterResponse? Cluster)> ClusterAsync(
        Patient patient,
        CancellationToken cancellation
    )
    {
        using var http = InternalHttp.CreateClient(Patient.Patience, patient.Api);
        if (patient.Settings["GALAXY_API_KEY"] is { Length: > 0 } key)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Trim());
        try
        {
            var (before, asked) = (DateTimeOffset.UtcNow, Stopwatch.GetTimestamp());
            using var answer = await http.GetAsync(new Uri("/api/v1/cluster", UriKind.Relative), cancellation);
            var findings = new List<Finding>(
                Clock(answer, before, Stopwatch.GetElapsedTime(asked), patient.Api.Authority)
            );
            if (answer.StatusCode == HttpStatusCode.Unauthorized)
            {
                findings.Add(
                    Finding.Fault(
                        "key",
                        $"{patient.Api} refuses this key.",
                        "All machines of a cluster share one key: copy GALAXY_API_KEY from the .env of the first one."
                    )
                );
                return (findings, null);
            }
            if (!answer.IsSuccessStatusCode)
            {
                findings.Add(
                    Finding.Fault(
                        "leader",
                        $"{patient.Api} answers {(int)answer.StatusCode}: no coordinator can be asked.",
                        "Look at the coordinators' output: 'galaxy resources', or where ./start.sh runs."
                    )
                );
                return (findings, null);
            }
            return (
                findings,
                await System.Net.Http.Json.HttpContentJsonExtensions.ReadFromJsonAsync<ClusterResponse>(
                    answer.Content,
                    GalaxyJson.Options,
                    cancellation
                )
            );
        }
        catch (JsonException)
        {
            return (
                [
                    Finding.Fault(
                        "cluster",
                        $"What answers at {patient.Api} is no Galaxy, or one of a very different version.",
                        "Name the gateway's API address with --url."
                    ),
                ],
                null
            );
        }
        catch (Exception silent)
            when (silent is HttpRequestException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return (
                [
                    Finding.Warning(
                        "cluster",
                        $"Nothing answers at {patient.Api}.",
                        "Start it with ./start.sh, or name another address with --url."
                    ),
                ],
                null
            );
        }
    }

    public static IEnumerable<Finding> Members(ClusterResponse cluster)
    {
        yield return cluster.Leader is { } leader
            ? Finding.Fine("leader", $"{leader.NodeId} leads under token {leader.Token}.")
            : Finding.Fault(
                "leader",
                "Nobody leads.",
                "A majority of the stores must answer: see what is said of the store. Then somebody leads "
                    + "within seconds."
            );
        foreach (var node in cluster.Nodes.Where(node => node.State is "dead" or "suspect"))
            yield return Finding.Warning(
                "nodes",
                $"{node.NodeId} at {node.Url} is {node.State}.",
                "Start it again, or mend its network. If it is gone for good, nothing needs to be done: it "
                    + "is forgotten after a while."
            );
        var versions = cluster
            .Nodes.Where(node => node.State == "alive")
            .Select(node => (Name: node.NodeId, node.Version))
            .Concat(cluster.Services.Select(service => (Name: service.Id, service.Version)))
            .Where(one => one.Version.Length > 0)
            .GroupBy(one => one.Version)
            .OrderByDescending(version => version.Count())
            .ToList();
        if (versions.Count > 1)
        {
            var behind = string.Join(
                "; ",
                versions
                    .Skip(1)
                    .Select(version => $"{version.Key}: {string.Join(", ", version.Select(one => one.Name))}")
            );
            yield return Finding.Warning(
                "versions",
                $"Not all have one version: most {versions[0].Key}, and {behind}.",
                "Two neighbouring versions work together while an upgrade is under way; bring the rest to the same one."
            );
        }
        else
        {
            yield return Finding.Fine(
                "versions",
                versions.Count == 0 ? "Nobody tells a version." : $"All have version {versions[0].Key}."
            );
        }
        if (versions.Count > 0 && versions.All(version => version.Key != BuildVersion.Text))
            yield return Finding.Warning(
                "versions",
                $"This program has version {BuildVersion.Text}, the cluster {versions[0].Key}.",
                "Run ./deploy.sh here after a pull."
            );
    }

    /// <summary>
    /// Every coordinator, from here: a firewall may let the gateway's ports through and not the coordinators'.
    /// </summary>
    public static async Task<IReadOnlyList<Finding>> ReachAsync(ClusterResponse cluster, CancellationToken cancellation)
    {
        var alive = cluster.Nodes.Where(node => node.State == "alive").ToList();
        var found = await Task.WhenAll(
            alive.Select(async node =>
            {
                var url = new Uri(node.Url);
                using var http = InternalHttp.CreateClient(Patient.Patience);
                try
                {
                    var (before, asked) = (DateTimeOffset.UtcNow, Stopwatch.GetTimestamp());
                    using var answer = await http.GetAsync(new Uri(url, "/alive"), cancellation);
                    return Clock(answer, before, Stopwatch.GetElapsedTime(asked), node.NodeId).ToList();
                }
                catch (Exception silent)
                    when (silent is HttpRequestException or OperationCanceledException
                        && !cancellation.IsCancellationRequested
                    )
                {
                    return
                    [
                        Finding.Fault(
                            "firewall",
                            $"{node.NodeId} is alive, but {url.Authority} cannot be reached from here.",
                            $"Let TCP {url.Port} and 9071 through between the machines of the cluster, or "
                                + "set GALAXY_ADVERTISE there to an address that is reached from here."
                        ),
                    ];
                }
            })
        );
        var faults = found.SelectMany(one => one).ToList();
        return faults.Count == 0
            ? [Finding.Fine("firewall", $"All {alive.Count} coordinators are reached from here.")]
            : faults;
    }

    /// <summary>Addresses that settings name: <c>MASTER_URL</c>, <c>PRIMARY_URL</c>, <c>Galaxy_SEEDS</c>.</summary>
    public static async Task<IReadOnlyList<Finding>> NamedAsync(Patient patient, CancellationToken cancellation)
    {
        if (patient.Node is not { } node)
            return [];
        var named = node.MasterUrls.Select(url => ("MASTER_URL", url.Host, url.Port)).ToList();
        if (node.PrimaryUrl is { } primary)
            named.Add(("PRIMARY_URL", primary.Host, primary.Port));
        if (!string.IsNullOrEmpty(patient.Settings["Galaxy_SEEDS"]))
            named.AddRange(
                node.Seeds.Where(seed => !seed.StartsWith('_'))
                    .Select(seed => new Uri(seed.Contains("://", StringComparison.Ordinal) ? seed : "http://" + seed))
                    .Select(url => ("Galaxy_SEEDS", url.Host, url.Port))
            );
        return
        [
            .. (await Task.WhenAll(named.Select(one => ConnectAsync(one.Item1, one.Host, one.Port, cancellation)))),
        ];
    }

    private static async Task<Finding> ConnectAsync(
        string setting,
        string host,
        int port,
        CancellationToken cancellation
    )
    {
        IPAddress[] addresses;
        try
        {
            using var patience = Limited(cancellation);
            addresses = await Dns.GetHostAddressesAsync(host, patience.Token);
        }
        catch (Exception unknown)
            when (unknown is SocketException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return Finding.Fault(
                "names",
                $"{setting} names '{host}', which no name server knows.",
                "Correct the name, or use the machine's address."
            );
        }
        try
        {
            using var socket = new TcpClient();
            using var patience = Limited(cancellation);
            await socket.ConnectAsync(addresses, port, patience.Token);
            return Finding.Fine("network", $"{setting}: {host}:{port} answers.");
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return Finding.Fault(
                "network",
                $"{setting}: nothing listens at {host}:{port}.",
                "Start Galaxy there (./start.sh), or correct the port."
            );
        }
        catch (Exception silent)
            when (silent is SocketException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return Finding.Fault(
                "firewall",
                $"{setting}: {host}:{port} does not answer at all.",
                $"A firewall on the way swallows it, or the machine is off: let TCP {port} through."
            );
        }
    }

    private static CancellationTokenSource Limited(CancellationToken cancellation)
    {
        var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limited.CancelAfter(Patient.Patience);
        return limited;
    }

    // HTTP tells whole seconds.
    private static IEnumerable<Finding> Clock(
        HttpResponseMessage answer,
        DateTimeOffset before,
        TimeSpan took,
        string where
    )
    {
        if (answer.Headers.Date is not { } there)
            yield break;
        var skew = there + TimeSpan.FromSeconds(0.5) - (before + (took / 2));
        if (skew.Duration() > MostSkew)
            yield return Finding.Fault(
                "clock",
                $"The clock of {where} is {Math.Abs(skew.TotalSeconds):0} s "
                    + $"{(skew > TimeSpan.Zero ? "ahead of" : "behind")} this machine's.",
                "Set both by NTP (timedatectl set-ntp true)."
            );
    }
}
