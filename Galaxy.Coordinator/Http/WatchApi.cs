using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;

namespace Galaxy.Coordinator.Http;

/// <summary><c>GET /api/v1/state/watch</c>: changes as server-sent events.</summary>
internal static class WatchApi
{
    private const string Summary =
        "Server-sent events: 'begin', 'state' for every entry that is there, 'ready', then 'change' as it happens, and "
        + "'alive' after at most 15 s of silence. With Last-Event-ID it goes on after that event; where the id is not "
        + "known it begins anew: what is not told between 'begin' and 'ready' is gone";

    public static void MapWatchApi(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/api/v1/state/watch", Watch).WithSummary(Summary);

    private static IResult Watch(
        HttpContext http,
        StateFeed feed,
        ReplicatedState replica,
        TimeProvider time,
        IHostApplicationLifetime lifetime,
        string? ns,
        string? prefix
    )
    {
        var watch = new StateWatch(feed, replica, time, ns, prefix ?? "");
        string? lastEventId = http.Request.Headers["Last-Event-ID"];
        return TypedResults.ServerSentEvents(
            watch.FollowAsync(lastEventId, lifetime.ApplicationStopping, http.RequestAborted)
        );
    }
}
