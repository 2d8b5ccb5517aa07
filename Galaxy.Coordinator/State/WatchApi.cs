using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Gossip;
using Galaxy.Core.State;

namespace Galaxy.Coordinator.State;

/// <summary><c>GET /api/v1/state/watch</c>: changes as server-sent events.</summary>
internal static class WatchApi
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    public static void MapWatchApi(this IEndpointRouteBuilder endpoints) => endpoints.MapGet("/api/v1/state/watch", Watch)
        .WithSummary("Server-sent events: 'state' for every entry that is there, 'ready', then 'change' as it happens. Last-Event-ID goes on where a stream broke off");

    private static IResult Watch(HttpContext http, StateFeed feed, GossipNode gossip, TimeProvider time, IHostApplicationLifetime lifetime, string? ns, string? prefix) =>
        TypedResults.ServerSentEvents(FollowAsync(feed, gossip, time, feed.Parse(http.Request.Headers["Last-Event-ID"]), ns, prefix ?? "", lifetime.ApplicationStopping, http.RequestAborted));

    private static async IAsyncEnumerable<SseItem<StateChange?>> FollowAsync(
        StateFeed feed, GossipNode gossip, TimeProvider time, long? from, string? ns, string prefix, CancellationToken stopping, [EnumeratorCancellation] CancellationToken aborted)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stopping, aborted);
        var position = from;
        while (!ends.IsCancellationRequested)
        {
            if (position is null)
            {
                // From here on, then what is there: a change in between is told twice rather than not at all.
                position = feed.Now;
                foreach (var entry in gossip.All.Where(entry => !entry.Deleted && Wanted(new EntryId(entry.Namespace, entry.Key))))
                    yield return Item("state", new StateChange(entry.Namespace, entry.Key, entry.ToView()));
                yield return Item("ready", null);
            }
            var (changes, reached, next) = feed.After(position.Value);
            if (changes is null)
            {
                position = null;
                continue;
            }
            position = reached;
            foreach (var (id, entry) in changes.Where(change => Wanted(change.Id)))
                yield return Item("change", new StateChange(id.Namespace, id.Key, entry is { Deleted: false } ? entry.ToView() : null));
            await next.WaitAsync(KeepAlive, time, ends.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!next.IsCompleted && !ends.IsCancellationRequested)
                yield return Item("alive", null);
        }

        bool Wanted(EntryId id) => id.Namespace != Cluster.Namespaces.Access && (ns is null || id.Namespace == ns) && id.Key.StartsWith(prefix, StringComparison.Ordinal);

        SseItem<StateChange?> Item(string type, StateChange? change) => new(change, type) { EventId = feed.Name(position!.Value) };
    }
}
