using Galaxy.Coordinator.Storage;
using Galaxy.Coordinator.Tests.Stores;
using Galaxy.Core.Election;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Tests.Election;

public sealed class GarnetFollowsTheSpecificationTests(GarnetStore store)
    : ScriptsFollowTheirSpecificationTests(store),
        IClassFixture<GarnetStore>;

public sealed class RedisServerFollowsTheSpecificationTests(RedisServerStore store)
    : ScriptsFollowTheirSpecificationTests(store),
        IClassFixture<RedisServerStore>;

/// <summary>
/// Random sequences of attempts, run by the scripts on a real store and by <see cref="LeaseRegister"/>, which the
/// simulator runs: every answer and the state after it must be the same. Leases do not run out within a sequence: time
/// is the store's.
/// </summary>
public abstract class ScriptsFollowTheirSpecificationTests(RealStore store)
{
    private const int Sequences = 60;
    private const int Steps = 40;
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task Scripts_and_specification_give_the_same_answers()
    {
        await using var redis = await store.ConnectAsync();
        for (var seed = 1; seed <= Sequences; seed++)
            await new Sequence(redis.GetDatabase(), redis, seed).RunAsync();
    }

    private sealed class Sequence(IDatabase database, IConnectionMultiplexer redis, int seed)
    {
        private readonly StoreKeys _keys = new($"spec{seed}-{Guid.NewGuid():N}");
        private readonly Random _random = new(seed);
        private readonly int _stores = seed % 2 == 0 ? 3 : 1;
        private LeaseRegister _register = new() { Run = "?" };

        private RedisKey[] Keys =>
            [_keys["lease"], _keys["token"], _keys["accepted"], _keys["released"], _keys["born"], _keys["silent"]];

        public async Task RunAsync()
        {
            var info = await redis.GetServers()[0].InfoAsync("server");
            _register = _register with
            {
                Run = info.SelectMany(group => group).Single(pair => pair.Key == "run_id").Value,
            };
            for (var step = 0; step < Steps; step++)
            {
                var what = await StepAsync();
                await CompareAsync($"seed {seed}, step {step}: {what}");
            }
        }

        private LeaseRecord Somebody()
        {
            var name = "abc"[_random.Next(3)].ToString();
            return new LeaseRecord(name, "boot-" + name, _random.Next(1, 40), "http://" + name, "trace", 7);
        }

        private async Task<string> StepAsync()
        {
            var who = Somebody();
            var minToken = _random.Next(0, 30);
            // The store's clock is its own: what a first attempt silences stays silent for the whole sequence, unless a
            // step ends it.
            var now = TimeSpan.Zero;
            switch (_random.Next(10))
            {
                case < 3:
                {
                    var expected =
                        _random.Next(2) == 0 ? null
                        : _register.Lease is { } held && _random.Next(2) == 0 ? held
                        : Somebody();
                    var (next, answer) = expected is null
                        ? _register.Acquire(who, Long, minToken, _stores, now)
                        : _register.Seize(who, expected, Long, minToken, _stores, now);
                    _register = next;
                    var real = (RedisResult[])
                        (
                            await database.ScriptEvaluateAsync(
                                LeaseScripts.Acquire,
                                Keys,
                                [
                                    who.Holder,
                                    who.Boot,
                                    who.Url,
                                    who.TraceParent,
                                    Long.TotalMilliseconds,
                                    minToken,
                                    who.AcquiredUnixMs,
                                    "events",
                                    _stores,
                                    who.Token,
                                    expected?.Boot ?? "",
                                    expected is null ? "" : expected.Token,
                                ]
                            )
                        )!;
                    var what = $"acquire {who} above {minToken}, expected {expected}";
                    Assert.True(
                        (answer.Granted, answer.Token) == ((int)real[0] == 1, (long)real[1]),
                        $"seed {seed}: {what}: {answer} but the script says {real[0]} {real[1]}"
                    );
                    return what;
                }
                case < 6:
                {
                    var lease = _register.Lease is { } held && _random.Next(2) == 0 ? held : who;
                    var (next, done) = _register.Renew(lease, Long, _stores, now);
                    _register = next;
                    var real = (RedisResult[])
                        (
                            await database.ScriptEvaluateAsync(
                                LeaseScripts.Renew,
                                Keys,
                                [
                                    lease.Holder,
                                    lease.Boot,
                                    lease.Url,
                                    lease.TraceParent,
                                    Long.TotalMilliseconds,
                                    lease.Token,
                                    lease.AcquiredUnixMs,
                                    _stores,
                                ]
                            )
                        )!;
                    Assert.True(
                        done == ((int)real[0] == 1),
                        $"seed {seed}: renew {lease}: {done} but the script says {real[0]}"
                    );
                    return $"renew {lease}";
                }
                case 6:
                {
                    var lease = _register.Lease is { } held && _random.Next(3) > 0 ? held : who;
                    var silent = _random.Next(2) == 0;
                    var release = new LeaseRelease(_random.Next(2) == 0 ? "" : "b", lease.Holder, "manual", "trace");
                    var (next, done) = _register.GiveUp(lease.Boot, lease.Token, silent ? null : release, Long, now);
                    _register = next;
                    var real = (RedisResult[])
                        (
                            await database.ScriptEvaluateAsync(
                                LeaseScripts.Release,
                                [_keys["lease"], _keys["released"]],
                                [
                                    lease.Boot,
                                    lease.Token,
                                    release.From,
                                    release.Successor,
                                    silent ? 0 : Long.TotalMilliseconds,
                                    release.Reason,
                                    release.TraceParent,
                                    "events",
                                ]
                            )
                        )!;
                    Assert.True(
                        done == ((int)real[0] == 1),
                        $"seed {seed}: give up {lease}: {done} but the script says {real[0]}"
                    );
                    return $"give up {lease}, silent {silent}";
                }
                case 7:
                    // The lease, the reservation and the silence run out.
                    _register = _register with
                    {
                        LeaseEnds = TimeSpan.Zero,
                        ReleaseEnds = TimeSpan.Zero,
                        SilentUntil = TimeSpan.Zero,
                    };
                    await database.KeyDeleteAsync([_keys["lease"], _keys["released"], _keys["silent"]]);
                    return "time passes";
                case 8 when _random.Next(3) == 0:
                    _register = new LeaseRegister { Run = _register.Run };
                    await database.KeyDeleteAsync([.. Keys, _keys["position"]]);
                    return "flush";
                default:
                {
                    var token = _random.Next(1, 40);
                    var (next, answer) = _register.Write(token);
                    _register = next;
                    var real = await FencedScript.RunAsync(database, _keys, token, "", "", []);
                    Assert.True(
                        answer.ToString() == real.ToString(),
                        $"seed {seed}: write under {token}: {answer} but the script says {real}"
                    );
                    return $"write under {token}";
                }
            }
        }

        private async Task CompareAsync(string after)
        {
            var minToken = _random.Next(0, 30);
            var text = (string[])
                (
                    await database.ScriptEvaluateAsync(
                        LeaseScripts.Read,
                        Keys,
                        [Long.TotalMilliseconds, minToken, _stores]
                    )
                )!;
            (_register, var expected) = _register.Read(Long, minToken, _stores, TimeSpan.Zero);
            var lease = expected.Lease;
            Assert.True(
                (
                    lease?.Holder ?? "",
                    lease?.Boot ?? "",
                    lease?.Token.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "",
                    lease?.Url ?? ""
                ) == (text[0], text[1], text[2], text[3]),
                $"after {after}: {lease} but the store has {string.Join(' ', text)}"
            );
            Assert.True(
                (expected.Release?.Successor ?? "", expected.Release?.From ?? "") == (text[6], text[7]),
                $"after {after}: {expected.Release} but the store has {string.Join(' ', text)}"
            );
            Assert.True(
                expected.HighestToken == long.Parse(text[10], System.Globalization.CultureInfo.InvariantCulture),
                $"after {after}: highest {expected.HighestToken} but the store has {text[10]}"
            );
        }
    }
}
