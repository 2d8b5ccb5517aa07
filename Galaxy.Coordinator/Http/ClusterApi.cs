using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Cluster;

namespace Galaxy.Coordinator.Http;

internal static class ClusterApi
{
    public static void MapClusterApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapGet("/api/v1/cluster", (ClusterFeed feed) => feed.Response())
            .Produces<ClusterResponse>()
            .WithSummary("Leader, nodes and services; every coordinator answers");
        endpoints
            .MapGet(
                "/api/v1/cluster/watch",
                (ClusterFeed feed, IHostApplicationLifetime lifetime, CancellationToken cancellation) =>
                    TypedResults.ServerSentEvents(Watch(feed, lifetime, cancellation), "cluster")
            )
            .WithSummary("The same as server-sent events, one for every change");
    }

    private static async IAsyncEnumerable<ClusterResponse> Watch(
        ClusterFeed feed,
        IHostApplicationLifetime lifetime,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation
    )
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        while (!ends.IsCancellationRequested)
        {
            var next = feed.NextChange;
            yield return feed.Response();
            await next.WaitAsync(ends.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
