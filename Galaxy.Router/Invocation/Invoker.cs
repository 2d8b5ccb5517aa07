using System.Diagnostics;
using Galaxy.Core.Routing;
using Galaxy.Router.Routing;
using Galaxy.Router.Telemetry;

namespace Galaxy.Router.Invocation;

/// <summary>
/// Chooses a target and sends the request: again to another target where that is safe, and to two at once where the
/// first is slow. Thread-safe.
/// </summary>
internal sealed class Invoker(
    RouterTable table,
    ServiceCaller services,
    DeviceCaller devices,
    InvokeLatencies latencies,
    TimeProvider time
)
{
    private const int MostAttempts = 3;
    private static readonly ActivitySource Source = new("Galaxy.Router");
    private static readonly TimeSpan LeastHedge = TimeSpan.FromMilliseconds(5);

    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task<InvokeOutcome> InvokeAsync(InvokeRequest invoke, CancellationToken caller)
    {
        using var activity = Source.StartActivity($"invoke {invoke.Query.Capability}");
        using var deadline = new CancellationTokenSource(invoke.Timeout, time);
        var started = time.GetTimestamp();
        var outcome = await TryAllAsync(invoke, deadline.Token, caller);
        RouterMetrics.Duration.Record(
            time.GetElapsedTime(started).TotalSeconds,
            // Only capabilities that a target offers: the names that callers ask for are unbounded.
            new("galaxy.capability", outcome.TargetId is null ? "" : invoke.Query.Capability),
            new(
                "galaxy.outcome",
                outcome switch
                {
                    ServiceAnswered => "answered",
                    DeviceAnswered => "done",
                    _ => "failed",
                }
            )
        );
        activity?.SetTag("galaxy.target", outcome.TargetId);
        activity?.SetTag("galaxy.attempts", outcome.Attempts);
        if (outcome is InvokeFailed failed)
            activity?.SetStatus(ActivityStatusCode.Error, failed.Detail);
        return outcome;
    }

    private async Task<InvokeOutcome> TryAllAsync(
        InvokeRequest invoke,
        CancellationToken deadline,
        CancellationToken caller
    )
    {
        var tried = new List<string>(invoke.Query.Exclude ?? []);
        var asked = 0;
        Attempt? last = null;
        latencies.Hedges.Earn();
        latencies.Retries.Earn();
        while (true)
        {
            var query = invoke.Query with { Exclude = [.. tried], WillTell = true };
            var choice = table.Choose(query);
            if (choice.Target is not { } target)
                return last is null ? Nobody(invoke.Query) : Failed(last, asked);
            if (last is not null)
            {
                // Only now: a failure of the only target must not use up the retry budget that other requests may need.
                if (!latencies.Retries.TrySpend(table.Now))
                {
                    choice.State?.Breaker.NeverMind();
                    return Failed(last, asked);
                }
                RouterMetrics.Retries.Add(1);
            }
            if (target.IsDevice)
            {
                last?.Dispose();
                return await devices.CallAsync(choice, invoke, deadline, caller);
            }
            last?.Dispose();
            last = await HedgedAsync(choice, invoke, tried, deadline, caller);
            asked = tried.Count - (invoke.Query.Exclude?.Length ?? 0);
            if (last.End == AttemptEnd.Answered)
                return new ServiceAnswered(last.Target.Id, asked, last.Response!);
            if (asked >= MostAttempts || deadline.IsCancellationRequested || !MayRepeat(last, choice, invoke))
                return Failed(last, asked);
        }
    }

    private static bool IsSafe(RouteChoice choice, InvokeRequest invoke) =>
        invoke.IsSafe || choice.Offer(invoke.Query.Capability)?.IsIdempotent == true;

    private static bool MayRepeat(Attempt attempt, RouteChoice choice, InvokeRequest invoke) =>
        invoke.Body.CanBeSent
        && (attempt.End is AttemptEnd.NotDelivered or AttemptEnd.Refused || IsSafe(choice, invoke));

    /// <summary>
    /// Asks one target, and a second one when the first has not answered within the time that 95 % of answers take.
    /// </summary>
    private async Task<Attempt> HedgedAsync(
        RouteChoice choice,
        InvokeRequest invoke,
        List<string> tried,
        CancellationToken deadline,
        CancellationToken caller
    )
    {
        tried.Add(choice.Target!.Id);
        using var firstLost = CancellationTokenSource.CreateLinkedTokenSource(caller);
        var first = services.SendAsync(choice, invoke, deadline, firstLost.Token);
        if (
            !invoke.Hedge
            || !invoke.Body.CanBeRepeated
            || !IsSafe(choice, invoke)
            || latencies.Of(invoke.Query.Capability).P95 is not { } p95
        )
            return await first;

        var pause = TimeSpan.FromMilliseconds(p95) is var usual && usual > LeastHedge ? usual : LeastHedge;
        using (var timer = CancellationTokenSource.CreateLinkedTokenSource(caller))
        {
            await Task.WhenAny(first, Task.Delay(pause, time, timer.Token));
            await timer.CancelAsync();
        }
        var other =
            first.IsCompleted || caller.IsCancellationRequested
                ? default
                : table.Choose(invoke.Query with { Exclude = [.. tried], WillTell = true });
        if (other.Target is not { IsDevice: false } || !latencies.Hedges.TrySpend(table.Now))
        {
            other.State?.Breaker.NeverMind();
            return await first;
        }

        tried.Add(other.Target.Id);
        RouterMetrics.Hedges.Add(1);
        Activity.Current?.AddEvent(new ActivityEvent("hedged to " + other.Target.Id));
        using var secondLost = CancellationTokenSource.CreateLinkedTokenSource(caller);
        var second = services.SendAsync(other, invoke, deadline, secondLost.Token);
        var quicker = await Task.WhenAny(first, second);
        var slower = quicker == first ? second : first;
        Attempt attempt;
        try
        {
            attempt = await quicker;
            if (attempt.End != AttemptEnd.Answered && await slower is { End: AttemptEnd.Answered } answer)
            {
                attempt.Dispose();
                return answer;
            }
        }
        catch
        {
            // The caller left, and both end.
            await OutOfTheWayAsync(first);
            await OutOfTheWayAsync(second);
            throw;
        }
        await (quicker == first ? secondLost : firstLost).CancelAsync();
        await OutOfTheWayAsync(slower);
        return attempt;
    }

    // The attempt ends at once: by the cancellation, or with an answer that is no longer needed.
    private static async Task OutOfTheWayAsync(Task<Attempt> attempt)
    {
        try
        {
            (await attempt).Dispose();
        }
        catch (OperationCanceledException)
        {
            // The cancellation is intended.
        }
    }

    private InvokeFailed Nobody(RouteQuery query)
    {
        var isKnown = table.Current.Table.Offers(query.Capability).Any();
        return new InvokeFailed(
            isKnown ? 503 : 404,
            RouteApi.Nobody(table.Current.Table, query, table.Now),
            MayHaveRun: false,
            null,
            0
        );
    }

    private static InvokeFailed Failed(Attempt last, int attempts)
    {
        var mayHaveRun = last.End == AttemptEnd.Failed;
        var status =
            last.Response is { } response ? (int)response.StatusCode
            : last.IsLate ? StatusCodes.Status504GatewayTimeout
            : StatusCodes.Status502BadGateway;
        return new InvokeFailed(
            status,
            $"{last.Detail}. {(mayHaveRun ? "Whether it was done there is not known." : "Nothing was done.")}",
            mayHaveRun,
            last.Target.Id,
            attempts
        )
        {
            Response = last.Response,
        };
    }
}
