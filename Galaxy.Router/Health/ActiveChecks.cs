using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Galaxy.Core.Routing;
using Galaxy.Router.Invocation;
using Galaxy.Router.Routing;
using Galaxy.ServiceDefaults.Hosting;

namespace Galaxy.Router.Health;

/// <summary>What a check found.</summary>
internal sealed record CheckResult(
    string Id,
    TargetStatus Status,
    double Milliseconds,
    string Detail,
    DateTimeOffset At
);

/// <summary>
/// Asks every target that has an address for <c>/health</c>: every 30 s while it is well, every 5 s while it is not.
/// One failure makes it degraded, two unhealthy. Thread-safe.
/// </summary>
internal sealed class ActiveChecks(RouterTable table, TargetHttp http, TimeProvider time, ILogger<ActiveChecks> log)
    : PeriodicService(TimeSpan.FromSeconds(1), time, log)
{
    private const int AtOnce = 16;
    private const int FailuresUntilUnhealthy = 2;
    private static readonly TimeSpan WhileWell = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WhileIll = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);

    private sealed class Known
    {
        public long CheckedAt { get; set; }
        public int Failures { get; set; }
        public CheckResult? Last { get; set; }
        public string Url { get; set; } = "";
    }

    protected override async Task TurnAsync(CancellationToken stopping)
    {
        var targets = table.Current.Table.Targets.Where(target => target.Url.Length > 0).ToList();
        foreach (var gone in _known.Keys.Except(targets.Select(target => target.Id)).ToList())
            _known.TryRemove(gone, out _);
        await CheckAsync(targets.Where(IsDue), stopping);
    }

    /// <summary>Checks at once every target that has an address.</summary>
    public async Task<IReadOnlyList<CheckResult>> CheckAllAsync(CancellationToken cancellation)
    {
        var targets = table.Current.Table.Targets.Where(target => target.Url.Length > 0).ToList();
        await CheckAsync(targets, cancellation);
        return [.. targets.Select(target => _known.GetValueOrDefault(target.Id)?.Last).OfType<CheckResult>()];
    }

    private bool IsDue(RouteTarget target) =>
        !_known.TryGetValue(target.Id, out var known)
        || known.Url != target.Url
        || Time.GetElapsedTime(known.CheckedAt) >= (known.Failures == 0 ? WhileWell : WhileIll);

    private Task CheckAsync(IEnumerable<RouteTarget> targets, CancellationToken cancellation) =>
        Parallel.ForEachAsync(
            targets,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation },
            async (target, ends) => await CheckAsync(target, ends)
        );

    private async Task CheckAsync(RouteTarget target, CancellationToken cancellation)
    {
        var known = _known.GetOrAdd(target.Id, _ => new Known());
        var started = Stopwatch.GetTimestamp();
        var (isWell, detail) = await AskAsync(target, cancellation);
        // Earlier failures of another address do not count.
        known.Failures =
            isWell ? 0
            : known.Url == target.Url ? known.Failures + 1
            : 1;
        (known.Url, known.CheckedAt) = (target.Url, Time.GetTimestamp());
        var status = known.Failures switch
        {
            0 => TargetStatus.Healthy,
            < FailuresUntilUnhealthy => TargetStatus.Degraded,
            _ => TargetStatus.Unhealthy,
        };
        known.Last = new CheckResult(
            target.Id,
            status,
            Math.Round(Stopwatch.GetElapsedTime(started).TotalMilliseconds, 1),
            detail,
            Time.GetUtcNow()
        );
        if (table.State(target.Id)?.Found(status, table.Now) == true)
            table.Refresh();
    }

    private async Task<(bool IsWell, string Detail)> AskAsync(RouteTarget target, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            using var request = http.Request(HttpMethod.Get, target, "/health");
            using var answer = await http.SendAsync(request, patience.Token);
            // A target that has no such page, or asks for a key, has answered all the same.
            return (
                (int)answer.StatusCode < 500 && answer.StatusCode != HttpStatusCode.RequestTimeout,
                $"answered {(int)answer.StatusCode}"
            );
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (false, $"no answer within {Patience.TotalSeconds:0} s");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or InvalidOperationException)
        {
            return (false, failure.Message);
        }
    }
}
