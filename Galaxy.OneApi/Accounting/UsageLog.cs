using System.Collections.Concurrent;
using System.Globalization;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Governance;
using Galaxy.ServiceDefaults.Hosting;
using StackExchange.Redis;

namespace Galaxy.OneApi.Accounting;

/// <summary>What a key used of a model on one day.</summary>
internal sealed record UsageRow(
    string Day,
    string Key,
    string Model,
    long Requests,
    long Errors,
    long InputTokens,
    long CachedTokens,
    long OutputTokens,
    double CostUsd
);

/// <summary>
/// Adds up what is used, by day, key and model: at once in memory, twice a second in the store that all gateways share.
/// While the store is away the sums wait; a gateway that is killed loses half a second of them (budgets are kept
/// elsewhere and lose nothing). Thread-safe.
/// </summary>
internal sealed class UsageLog(GovernanceStore store, TimeProvider time, ILogger<UsageLog> log)
    : PeriodicService(TimeSpan.FromMilliseconds(500), time, log)
{
    private static readonly string[] Measures = ["requests", "errors", "input", "cached", "output", "nanos"];
    private static readonly TimeSpan Keep = TimeSpan.FromDays(400);
    private const int MostWaiting = 100_000;
    private const char Between = '\u001f';

    private readonly ConcurrentDictionary<(string Day, string Key, string Model), long[]> _waiting = [];

    public void Add(string key, string model, bool failed, Usage? usage, long nanos)
    {
        var waiting = _waiting;
        if (waiting.Count >= MostWaiting)
            return;
        var sums = waiting.GetOrAdd((Today(), key, model), _ => new long[Measures.Length]);
        Interlocked.Increment(ref sums[0]);
        if (failed)
            Interlocked.Increment(ref sums[1]);
        Interlocked.Add(ref sums[2], usage?.Input ?? 0);
        Interlocked.Add(ref sums[3], usage?.CacheRead ?? 0);
        Interlocked.Add(ref sums[4], usage?.Output ?? 0);
        Interlocked.Add(ref sums[5], nanos);
    }

    private string Today()
    {
        var day = DateOnly.FromDateTime(Time.GetUtcNow().UtcDateTime);
        var known = _today;
        return known.Day == day
            ? known.Name
            : (_today = new DayName(day, day.ToString("yyyyMMdd", CultureInfo.InvariantCulture))).Name;
    }

    private sealed record DayName(DateOnly Day, string Name);

    private volatile DayName _today = new(default, "");

    protected override async Task TurnAsync(CancellationToken stopping)
    {
        if (!store.IsThere || _waiting.IsEmpty)
            return;
        // Requests may add to these sums meanwhile: the exchange below takes each sum atomically, and the next turn
        // takes what is added later.
        foreach (var (at, sums) in _waiting)
        {
            var taken = new long[Measures.Length];
            for (var i = 0; i < taken.Length; i++)
                taken[i] = Interlocked.Exchange(ref sums[i], 0);
            if (taken.All(sum => sum == 0))
                continue;
            try
            {
                await store.UseAsync(db => WriteAsync(db, at, taken));
            }
            catch
            {
                for (var i = 0; i < taken.Length; i++)
                    Interlocked.Add(ref sums[i], taken[i]);
                throw;
            }
        }
        // No request adds to a day before yesterday any more.
        var yesterday = Time.GetUtcNow().AddDays(-1).ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        foreach (
            var old in _waiting
                .Where(pair => string.CompareOrdinal(pair.Key.Day, yesterday) < 0 && pair.Value.All(sum => sum == 0))
                .Select(pair => pair.Key)
                .ToList()
        )
            _waiting.TryRemove(old, out _);
    }

    private async Task<bool> WriteAsync(IDatabase db, (string Day, string Key, string Model) at, long[] sums)
    {
        var day = store.Key("usage:" + at.Day);
        var all = db.CreateTransaction();
        for (var i = 0; i < sums.Length; i++)
        {
            if (sums[i] != 0)
                _ = all.HashIncrementAsync(day, string.Join(Between, at.Key, at.Model, Measures[i]), sums[i]);
        }
        _ = all.KeyExpireAsync(day, Keep);
        return await all.ExecuteAsync();
    }

    /// <summary>
    /// The usage of all keys on these days, through all gateways; sums that this process has not written yet are
    /// written first.
    /// </summary>
    public async Task<List<UsageRow>> ReadAsync(DateOnly from, DateOnly to)
    {
        await TurnAsync(CancellationToken.None);
        List<UsageRow> rows = [];
        for (var day = from; day <= to; day = day.AddDays(1))
        {
            var name = day.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
            var entries = await store.UseAsync(db => db.HashGetAllAsync(store.Key("usage:" + name)));
            rows.AddRange(
                entries
                    .Select(entry => (Parts: ((string)entry.Name!).Split(Between), Sum: (long)entry.Value))
                    .Where(entry => entry.Parts.Length == 3)
                    .GroupBy(entry => (Key: entry.Parts[0], Model: entry.Parts[1]))
                    .Select(group =>
                    {
                        var sums = group.ToDictionary(entry => entry.Parts[2], entry => entry.Sum);
                        long Sum(string measure) => sums.GetValueOrDefault(measure);
                        return new UsageRow(
                            day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                            group.Key.Key,
                            group.Key.Model,
                            Sum("requests"),
                            Sum("errors"),
                            Sum("input"),
                            Sum("cached"),
                            Sum("output"),
                            Sum("nanos") / 1e9
                        );
                    })
            );
        }
        return rows;
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await TurnAsync(cancellationToken);
        }
        catch (StoreMissingException)
        {
            // Nothing more can be done.
        }
    }
}
