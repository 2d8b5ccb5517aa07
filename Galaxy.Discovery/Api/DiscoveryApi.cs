using System.Net.ServerSentEvents;
using System.Xml.Linq;
using Galaxy.Discovery.Peers;
using Galaxy.Discovery.Ssdp;

namespace Galaxy.Discovery.Api;

internal static class DiscoveryApi
{
    private static readonly TimeSpan ScanPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    public static void MapDiscoveryApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/api/v1/discovery/nodes", (PeerTable peers) => Results.Ok(peers.All)).WithSummary("Every node seen, with the roads it was seen on");
        endpoints.MapGet("/api/v1/discovery/status", (IEnumerable<Road> roads) => Results.Ok(roads.Select(road => road.Status))).WithSummary("Per road: sockets and counters");
        endpoints.MapGet("/api/v1/discovery/events", (PeerTable peers, IHostApplicationLifetime lifetime, CancellationToken cancellation) =>
            TypedResults.ServerSentEvents(Events(peers, lifetime, cancellation))).WithSummary("Nodes found, updated and lost, as server-sent events");
        endpoints.MapPost("/api/v1/discovery/scan", ScanAsync).WithSummary("Ask on all roads now; answers after 5 s or when it is quiet");
        // A UPnP control point has no key; the document says no more than the announcement did.
        endpoints.MapGet("/description/{name}.xml", Describe).AllowAnonymous().ExcludeFromDescription();
    }

    private static async IAsyncEnumerable<SseItem<Peer>> Events(
        PeerTable peers, IHostApplicationLifetime lifetime, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        await foreach (var happened in peers.Events(ends.Token))
            yield return new SseItem<Peer>(happened.Peer, happened.Type);
    }

    private static async Task<IResult> ScanAsync(PeerTable peers, IEnumerable<Road> roads, TimeProvider time, CancellationToken cancellation)
    {
        foreach (var road in roads)
            road.ScanNow();
        var started = time.GetTimestamp();
        var changed = started;
        var count = peers.All.Count;
        while (time.GetElapsedTime(started) < ScanPatience && time.GetElapsedTime(changed) < Quiet)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellation);
            if (peers.All.Count == count)
                continue;
            (count, changed) = (peers.All.Count, time.GetTimestamp());
        }
        return Results.Ok(peers.All);
    }

    private static IResult Describe(string name, LocalNodes local)
    {
        if (local.Current.FirstOrDefault(node => node.NodeId == name) is not { } own)
            return Results.NotFound();
        XNamespace ns = "urn:schemas-upnp-org:device-1-0";
        var document = new XElement(ns + "root",
            new XElement(ns + "specVersion", new XElement(ns + "major", 1), new XElement(ns + "minor", 1)),
            new XElement(ns + "device",
                new XElement(ns + "deviceType", SsdpRoad.DeviceType),
                new XElement(ns + "friendlyName", own.NodeId),
                new XElement(ns + "manufacturer", "Galaxy"),
                new XElement(ns + "modelName", "Galaxy coordinator"),
                new XElement(ns + "modelNumber", own.Version),
                new XElement(ns + "UDN", "uuid:" + SsdpRoad.DeviceUuid(own))));
        return Results.Text("<?xml version=\"1.0\"?>\n" + document, "text/xml");
    }
}
