using Galaxy.OneApi.Dialects;
using StackExchange.Redis;

namespace Galaxy.OneApi.Governance;

/// <summary>What was set aside for a request; settled when it is over.</summary>
/// <param name="Second">In which it was counted.</param>
internal sealed record Admission(VirtualKey Key, long Second, long Tokens, long Nanos, string Day, string Month)
{
    public long RequestsLeft { get; init; }
    public long TokensLeft { get; init; }
}

/// <summary>
/// Lets requests of limited keys in, exactly, however many gateways ask at once: one script in the store checks every
/// limit and sets aside what the request may cost at most. What it did cost is settled afterwards; of a gateway that
/// dies the whole reservation counts as spent, so that a budget is never overdrawn. Thread-safe.
/// </summary>
internal sealed class Limiter(GovernanceStore store, TimeProvider time)
{
    // Counters by second: a window that slides, with at most 61 fields. KEYS: requests, tokens, day, month.
    private const string AdmitScript = """
        local now, rpm, tpm, tokens = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
        local function used(key, more, most)
          local sum, seconds = 0, {}
          local all = redis.call('HGETALL', key)
          for i = 1, #all, 2 do
            local second = tonumber(all[i])
            if second <= now - 60 then
              redis.call('HDEL', key, all[i])
            else
              sum = sum + tonumber(all[i + 1])
              seconds[#seconds + 1] = {second, tonumber(all[i + 1])}
            end
          end
          if most < 0 or sum + more <= most then return sum, 0 end
          table.sort(seconds, function(a, b) return a[1] < b[1] end)
          local left, wait = sum, 60
          for i = 1, #seconds do
            left = left - seconds[i][2]
            if left + more <= most then wait = seconds[i][1] + 60 - now break end
          end
          return sum, math.max(1, wait)
        end
        local requests, wait = used(KEYS[1], 1, rpm)
        if wait > 0 then return {1, requests, 0, wait} end
        local counted, pause = used(KEYS[2], tokens, tpm)
        if pause > 0 then return {2, requests, counted, pause} end
        for i = 3, 4 do
          local budget = tonumber(ARGV[i + 3])
          local spent = tonumber(redis.call('GET', KEYS[i]) or '0')
          if budget >= 0 and spent + tonumber(ARGV[5]) > budget then return {i, requests, counted, 0} end
        end
        redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
        redis.call('EXPIRE', KEYS[1], 120)
        redis.call('HINCRBY', KEYS[2], ARGV[1], ARGV[4])
        redis.call('EXPIRE', KEYS[2], 120)
        redis.call('INCRBY', KEYS[3], ARGV[5])
        redis.call('EXPIRE', KEYS[3], 172800)
        redis.call('INCRBY', KEYS[4], ARGV[5])
        redis.call('EXPIRE', KEYS[4], 5356800)
        return {0, requests + 1, counted + tokens, 0}
        """;

    private const string SettleScript = """
        if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then redis.call('HINCRBY', KEYS[2], ARGV[1], ARGV[2]) end
        redis.call('INCRBY', KEYS[3], ARGV[3])
        redis.call('INCRBY', KEYS[4], ARGV[3])
        return 1
        """;

    /// <param name="tokens">That it may use at most.</param>
    /// <param name="nanos">That it may cost at most, in billionths of a dollar.</param>
    /// <returns>The admission, or why not.</returns>
    /// <exception cref="StoreMissingException">The store does not answer; no request is admitted unchecked.</exception>
    public async Task<(Admission? Admission, ModelError? Refusal)> AdmitAsync(VirtualKey key, long tokens, long nanos)
    {
        var now = time.GetUtcNow();
        var admission = new Admission(
            key,
            now.ToUnixTimeSeconds(),
            tokens,
            nanos,
            now.ToString("yyyyMMdd"),
            now.ToString("yyyyMM")
        );
        var answer = (RedisResult[])
            (
                await store.UseAsync(db =>
                    db.ScriptEvaluateAsync(
                        AdmitScript,
                        KeysOf(admission),
                        [
                            admission.Second,
                            key.Rpm ?? -1,
                            key.Tpm ?? -1,
                            tokens,
                            nanos,
                            Nanos(key.BudgetPerDay),
                            Nanos(key.BudgetPerMonth),
                        ]
                    )
                )
            )!;
        var (requests, counted, wait) = ((long)answer[1], (long)answer[2], TimeSpan.FromSeconds((long)answer[3]));
        admission = admission with
        {
            RequestsLeft = Math.Max(0, (key.Rpm ?? 0) - requests),
            TokensLeft = Math.Max(0, (key.Tpm ?? 0) - counted),
        };
        return (long)answer[0] switch
        {
            0 => (admission, null),
            1 => (
                null,
                new ModelError(
                    ErrorKind.RateLimited,
                    $"The key '{key.Name}' may ask {key.Rpm} times a minute; try again in {wait.TotalSeconds:0} s.",
                    RetryAfter: wait
                )
            ),
            2 => (
                null,
                new ModelError(
                    ErrorKind.RateLimited,
                    $"The key '{key.Name}' may use {key.Tpm} tokens a minute, and this request may need "
                        + $"{tokens}; try again in {wait.TotalSeconds:0} s.",
                    RetryAfter: wait
                )
            ),
            3 => (
                null,
                new ModelError(
                    ErrorKind.Budget,
                    $"The key '{key.Name}' has used its budget of ${key.BudgetPerDay} for today (UTC).",
                    RetryAfter: now.UtcDateTime.Date.AddDays(1) - now.UtcDateTime
                )
            ),
            _ => (
                null,
                new ModelError(
                    ErrorKind.Budget,
                    $"The key '{key.Name}' has used its budget of ${key.BudgetPerMonth} for this month (UTC).",
                    RetryAfter: new DateTime(now.Year, now.Month, 1).AddMonths(1) - now.UtcDateTime
                )
            ),
        };
    }

    /// <summary>What it did use in place of what was set aside.</summary>
    public Task SettleAsync(Admission admission, long tokens, long nanos) =>
        store.UseAsync(db =>
            db.ScriptEvaluateAsync(
                SettleScript,
                KeysOf(admission),
                [admission.Second, tokens - admission.Tokens, nanos - admission.Nanos]
            )
        );

    /// <summary>What a key has spent, in billionths of a dollar.</summary>
    public Task<(long Day, long Month)> SpentAsync(VirtualKey key)
    {
        var now = time.GetUtcNow();
        var keys = KeysOf(new Admission(key, 0, 0, 0, now.ToString("yyyyMMdd"), now.ToString("yyyyMM")));
        return store.UseAsync(async db =>
            ((long)await db.StringGetAsync(keys[2]), (long)await db.StringGetAsync(keys[3]))
        );
    }

    private RedisKey[] KeysOf(Admission admission) =>
        [
            store.Key($"k:{admission.Key.Id}:requests"),
            store.Key($"k:{admission.Key.Id}:tokens"),
            store.Key($"k:{admission.Key.Id}:spent:{admission.Day}"),
            store.Key($"k:{admission.Key.Id}:spent:{admission.Month}"),
        ];

    private static long Nanos(double? dollars) => dollars is null ? -1 : (long)Math.Round(dollars.Value * 1e9);
}
