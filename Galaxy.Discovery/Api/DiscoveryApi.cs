using System.Net.ServerSentEvents;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Discovery.Links;
using Galaxy.Discovery.Peers;
using Galaxy.Discovery.Roads;
using Galaxy.Discovery.Ssdp;
using Microsoft.AspNetCore.Mvc;

namespace Galaxy.Discovery.Api;

internal static class DiscoveryApi
{
    private static readonly TimeSpan ScanPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    public static void MapDiscoveryApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapGet("/api/v1/discovery/nodes", (PeerTable peers) => Results.Ok(peers.All.Select(PeerView.Of)))
            .WithSummary("Every node seen, with the roads it was seen on");
        endpoints
            .MapGet("/api/v1/discovery/status", (IEnumerable<IRoad> roads) =>
                Results.Ok(roads.Select(road => road.Status))
            )
            .WithSummary("Per road: sockets, counters, and why packets were not believed");
        endpoints
            .MapGet(
                "/api/v1/discovery/events",
                (PeerTable peers, IHostApplicationLifetime lifetime, CancellationToken cancellation) =>
                    TypedResults.ServerSentEvents(Events(peers, lifetime, cancellation))
            )
            .WithSummary("Nodes found, updated and lost, as server-sent events; 'ready' first");
        endpoints
            .MapPost("/api/v1/discovery/scan", ScanAsync)
            .WithSummary("Ask on all roads now; answers after 5 s or when it is quiet");
        // A UPnP control point has no key; the document says no more than the announcement did.
        endpoints.MapGet("/description/{name}.xml", Describe).AllowAnonymous().ExcludeFromDescription();
    }

    private static async IAsyncEnumerable<SseItem<object>> Events(
        PeerTable peers,
        IHostApplicationLifetime lifetime,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation
    )
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        // The client knows at once that it is connected, however quiet the network is.
        yield return new SseItem<object>(new { nodes = peers.All.Count }, "ready");
        await foreach (var happened in peers.Events(ends.Token))
            yield return new SseItem<object>(
                happened.Peer is { } peer ? PeerView.Of(peer) : new { problem = happened.Problem },
                happened.Type
            );
    }

    private static async Task<IResult> ScanAsync(
        PeerTable peers,
        IEnumerable<IRoad> roads,
        TimeProvider time,
        CancellationToken cancellation
    )
    {
        foreach (var road in roads.Where(road => road.Status.Enabled))
            road.ScanNow();
        var started = time.GetTimestamp();
        var changed = started;
        var version = peers.Version;
        while (time.GetElapsedTime(started) < ScanPatience && time.GetElapsedTime(changed) < Quiet)
        {
            await Task.Delay(Look, time, cancellation);
            if (peers.Version == version)
                continue;
            (version, changed) = (peers.Version, time.GetTimestamp());
        }
        return Results.Ok(peers.All.Select(PeerView.Of));
    }

    private static IResult Describe(
        string name,
        [FromQuery] string? nonce,
        HttpContext http,
        LocalNodes local,
        LinkWatcher links,
        Trust trust
    )
    {
        // As it is announced on the link that the question came by.
        var address = http.Connection.LocalIpAddress is { IsIPv4MappedToIPv6: true } mapped
            ? mapped.MapToIPv4()
            : http.Connection.LocalIpAddress;
        var link = links.Current.FirstOrDefault(link =>
            address is not null
            && link.Addresses.Any(own =>
                own.Address.GetAddressBytes().AsSpan().SequenceEqual(address.GetAddressBytes())
            )
        );
        var nodes = link is null ? local.Current : local.On(link);
        return nodes.FirstOrDefault(node => SsdpDescription.Name(node) == name) is { } own
            ? Results.Text(SsdpDescription.Write(own, trust, nonce ?? ""), "text/xml")
            : Results.NotFound();
    }
}

/// <summary>A node as the API shows it.</summary>
/// <param name="Roads">When it was last seen on each: <c>mdns</c>, <c>ssdp</c>, <c>udp</c>, <c>static</c>,
/// <c>registry</c>.</param>
/// <param name="Trust"><c>trusted</c>: signed with the cluster's key; <c>open</c>: no key is set here;
/// <c>untrusted</c>: see <c>distrust</c>; never joined.</param>
/// <param name="RttMs">The latest round trip, in ms; null when it never answered a question.</param>
internal sealed record PeerView(
    string NodeId,
    string Cluster,
    string Role,
    string Url,
    string GrpcUrl,
    string Version,
    IReadOnlyList<string> Capabilities,
    IReadOnlyDictionary<string, DateTimeOffset> Roads,
    IReadOnlyList<string> Addresses,
    DateTimeOffset FirstSeen,
    DateTimeOffset LastSeen,
    string Trust,
    string? Distrust,
    double? RttMs
)
{
    public static PeerView Of(Peer peer) =>
        new(
            peer.NodeId,
            peer.Cluster,
            peer.Role,
            peer.Url,
            peer.GrpcUrl,
            peer.Version,
            peer.Capabilities,
            peer.Roads,
            peer.Addresses,
            peer.FirstSeen,
            peer.LastSeen,
            Name(peer.Trust),
            peer.Distrust,
            peer.RttMs is { } rtt ? Math.Round(rtt, 2) : null
        );

    public static string Name(PeerTrust trust) =>
        trust switch
        {
            PeerTrust.Trusted => "trusted",
            PeerTrust.Open => "open",
            _ => "untrusted",
        };
}
