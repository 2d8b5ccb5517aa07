using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Tasks;

namespace Galaxy.Coordinator.Http;

/// <summary>
/// <c>GET /api/v1/tasks/watch</c>: streams every change of every task until this node stops leading; the client then
/// asks the next leader.
/// </summary>
internal static class TaskWatch
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    public static IResult Start(
        TaskFeed feed,
        Elector elector,
        TimeProvider time,
        IHostApplicationLifetime lifetime,
        HttpContext context
    ) =>
        TypedResults.ServerSentEvents(
            FollowAsync(feed, elector, time, lifetime.ApplicationStopping, context.RequestAborted)
        );

    private static async IAsyncEnumerable<SseItem<TaskView?>> FollowAsync(
        TaskFeed feed,
        Elector elector,
        TimeProvider time,
        CancellationToken stopping,
        [EnumeratorCancellation] CancellationToken aborted
    )
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stopping, aborted);
        var down = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Action<string> steppedDown = _ => down.TrySetResult();
        elector.SteppedDown += steppedDown;
        try
        {
            using var subscription = feed.Subscribe(_ => true);
            yield return new SseItem<TaskView?>(null, "ready");
            var tasks = subscription.ReadAllAsync(ends.Token).GetAsyncEnumerator(ends.Token);
            await using (tasks.ConfigureAwait(false))
            {
                var next = tasks.MoveNextAsync().AsTask();
                while (elector.CurrentToken is not null)
                {
                    await ((Task)Task.WhenAny(next, down.Task))
                        .WaitAsync(KeepAlive, time, CancellationToken.None)
                        .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    if (next.IsCompletedSuccessfully && next.Result)
                    {
                        yield return new SseItem<TaskView?>(tasks.Current, TaskErrors.Word(tasks.Current.State));
                        next = tasks.MoveNextAsync().AsTask();
                    }
                    else if (next.IsCompleted || down.Task.IsCompleted)
                    {
                        break;
                    }
                    else
                    {
                        yield return new SseItem<TaskView?>(null, "alive");
                    }
                }
                // Not left behind: the reader of the subscription ends before it is disposed of.
                await ends.CancelAsync();
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            elector.SteppedDown -= steppedDown;
        }
    }
}
