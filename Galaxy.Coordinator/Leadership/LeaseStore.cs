using System.Globalization;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Leadership;

/// <summary>
/// The lease in one Redis-compatible store, or in a majority of three or five. Every method throws
/// <see cref="StoreUnavailableException"/> when too few stores answer; then nothing is known of its effect.
/// Thread-safe, but for <see cref="AcquireAsync"/>, of which one may run at a time.
/// </summary>
internal sealed class LeaseStore(RedisStores stores, NodeOptions node)
{
    private readonly StoreKeys _keys = new(node.Cluster);

    private long _proposed;

    private int Count => stores.Urgent.Count;

    private RedisKey[] LeaseKeys =>
        [_keys["lease"], _keys["token"], _keys["accepted"], _keys["released"], _keys["born"], _keys["silent"]];

    /// <summary>
    /// Tells of each lease acquired or released as soon as the store knows. Faster than reading, and not guaranteed.
    /// </summary>
    public async Task SubscribeAsync(Action<LeaseEvent> heard)
    {
        var channel = RedisChannel.Literal(_keys["events"]);
        await Task.WhenAll(
            stores.Urgent.Select(store =>
                store
                    .GetSubscriber()
                    .SubscribeAsync(channel, (_, message) => heard(LeaseEvent.Parse((string?)message ?? "")))
            )
        );
    }

    /// <param name="minToken">The highest token known here: a store that restarted leaps from it.</param>
    public async Task<LeaseReading> ReadAsync(TimeSpan ttl, long minToken)
    {
        var (_, readings) = await StoreRound.AskAsync(
            stores,
            "lease.read",
            async database =>
                Reading(
                    (string[])
                        (await database.ScriptEvaluateAsync(LeaseScripts.Read, LeaseKeys, [Ms(ttl), minToken, Count]))!
                ),
            _ => true
        );
        return LeaseQuorum.Join([.. readings.Values], Count);
    }

    private static LeaseReading Reading(string[] text)
    {
        var lease =
            text[0].Length == 0
                ? null
                : new LeaseRecord(text[0], text[1], Number(text[2]), text[3], text[4], Number(text[5]));
        var release = text[7].Length == 0 ? null : new LeaseRelease(text[6], text[7], text[8], text[9]);
        return new LeaseReading(lease, release, Number(text[10]))
        {
            Left = lease is null ? null : TimeSpan.FromMilliseconds(Math.Max(0, Number(text[11]))),
        };
    }

    /// <summary>The lease under a new token, or the highest token known to the stores that refused.</summary>
    /// <param name="wanted">What to write; its token is chosen here.</param>
    /// <param name="expected">Null: the lease must be free. Otherwise this lease is preempted.</param>
    /// <param name="sending">Called right before the lease is asked for: from then on it counts.</param>
    public async Task<(LeaseRecord? Lease, LeaseRecord? Holder, long HighestToken)> AcquireAsync(
        LeaseRecord wanted,
        LeaseRecord? expected,
        long minToken,
        TimeSpan ttl,
        Action sending
    )
    {
        if (Count > 1)
        {
            var reading = await ReadAsync(ttl, minToken);
            if (reading.Lease is { } held && (held.Boot, held.Token) != (expected?.Boot, expected?.Token))
                return (null, held, reading.HighestToken);
            // A withdrawal of an earlier attempt may still be under way: no two attempts share a token.
            _proposed = LeaseQuorum.NextToken(reading, Math.Max(minToken, _proposed));
            wanted = wanted with { Token = _proposed };
        }
        sending();
        RedisValue[] arguments =
        [
            wanted.Holder,
            wanted.Boot,
            wanted.Url,
            wanted.TraceParent,
            Ms(ttl),
            minToken,
            wanted.AcquiredUnixMs,
            _keys["events"],
            Count,
            wanted.Token,
            expected?.Boot ?? "",
            expected is null ? "" : expected.Token,
        ];
        try
        {
            var (verdict, answers) = await StoreRound.AskAsync(
                stores,
                expected is null ? "lease.acquire" : "lease.seize",
                async database =>
                {
                    var answer = (RedisResult[])
                        (await database.ScriptEvaluateAsync(LeaseScripts.Acquire, LeaseKeys, arguments))!;
                    var granted = (int)answer[0] == 1;
                    // A token that was given out must not be given out again. Renewing needs no disk: a store that
                    // restarts grants nothing for a while.
                    if (granted)
                        await StoreCommit.AfterWriteAsync(database);
                    return new LeaseAnswer(granted, Number((string)answer[1]!));
                },
                answer => answer.Granted
            );
            var highest = answers.Values.Max(answer => answer.Token);
            if (verdict == Verdict.Yes)
                return (wanted with { Token = highest }, null, highest);
            await WithdrawAsync(wanted);
            return (null, null, highest);
        }
        catch (StoreUnavailableException)
        {
            await WithdrawAsync(wanted);
            throw;
        }
    }

    // A minority that granted would be blocked for the length of a lease.
    private async Task WithdrawAsync(LeaseRecord wanted)
    {
        if (Count == 1)
            return;
        try
        {
            await GiveUpAsync(wanted.Boot, wanted.Token, new LeaseRelease("", "", "", ""), TimeSpan.Zero);
        }
        catch (StoreUnavailableException)
        {
            // Then it runs out by itself.
        }
    }

    /// <summary>False when a newer lease is known.</summary>
    public async Task<bool> RenewAsync(LeaseRecord lease, TimeSpan ttl)
    {
        RedisValue[] arguments =
        [
            lease.Holder,
            lease.Boot,
            lease.Url,
            lease.TraceParent,
            Ms(ttl),
            lease.Token,
            lease.AcquiredUnixMs,
            Count,
        ];
        var (verdict, _) = await StoreRound.AskAsync(
            stores,
            "lease.renew",
            async database => Done(await database.ScriptEvaluateAsync(LeaseScripts.Renew, LeaseKeys, arguments)),
            done => done
        );
        return verdict == Verdict.Yes;
    }

    /// <summary>
    /// Gives the lease up; only the named successor may take it for a while. False when it was not ours any more.
    /// </summary>
    public Task<bool> ReleaseAsync(string boot, long token, LeaseRelease release, TimeSpan reservation) =>
        GiveUpAsync(boot, token, release, reservation);

    private async Task<bool> GiveUpAsync(string boot, long token, LeaseRelease release, TimeSpan reservation)
    {
        RedisValue[] arguments =
        [
            boot,
            token,
            release.From,
            release.Successor,
            Ms(reservation),
            release.Reason,
            release.TraceParent,
            _keys["events"],
        ];
        var (verdict, _) = await StoreRound.AskAsync(
            stores,
            "lease.release",
            async database =>
                Done(
                    await database.ScriptEvaluateAsync(
                        LeaseScripts.Release,
                        [_keys["lease"], _keys["released"]],
                        arguments
                    )
                ),
            done => done
        );
        return verdict == Verdict.Yes;
    }

    private static bool Done(RedisResult answer) => (int)((RedisResult[])answer!)[0] == 1;

    internal static long Number(string text) =>
        long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static long Ms(TimeSpan time) => (long)time.TotalMilliseconds;
}
