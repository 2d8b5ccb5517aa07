using Galaxy.Contracts.Api;
using Galaxy.Core.Routing;

namespace Galaxy.Router.Invocation;

/// <summary>A request that the best target is to carry out.</summary>
/// <param name="Timeout">Until the answer begins.</param>
/// <param name="IsSafe">It may be done twice: the caller says so, sent an Idempotency-Key, or the target's offer says
/// so.</param>
/// <param name="Hedge">A second target may be asked when the first is slow.</param>
internal sealed record InvokeRequest(RouteQuery Query, RequestBody Body, TimeSpan Timeout, bool IsSafe, bool Hedge)
{
    /// <summary>The caller's query without the router's parameters, beginning with <c>?</c>; or empty.</summary>
    public string TargetQuery { get; init; } = "";

    /// <summary>The caller's headers; null: none.</summary>
    public IHeaderDictionary? Headers { get; init; }

    public string? IdempotencyKey { get; init; }

    /// <summary>Told of a device's progress, 0 to 1.</summary>
    public Func<double, Task>? Progress { get; init; }
}

/// <summary>The outcome of an invocation.</summary>
internal abstract record InvokeOutcome(string? TargetId, int Attempts);

/// <summary>A service answered, as far as the head; the caller disposes it.</summary>
internal sealed record ServiceAnswered(string Id, int Attempts, HttpResponseMessage Response)
    : InvokeOutcome(Id, Attempts);

/// <summary>A device's task is over.</summary>
internal sealed record DeviceAnswered(TaskView Task) : InvokeOutcome(Task.DeviceId, Task.Attempts);

/// <summary>No target carried it out, as far as is known.</summary>
/// <param name="MayHaveRun">True: it reached a target, and whether it was done there is not known.</param>
internal sealed record InvokeFailed(int Status, string Detail, bool MayHaveRun, string? TargetId, int Attempts)
    : InvokeOutcome(TargetId, Attempts)
{
    /// <summary>The last answer, when it was an answer; the caller disposes it.</summary>
    public HttpResponseMessage? Response { get; init; }
}
