using System.Globalization;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Election;

/// <summary>What the store says of the lease, and of the leader that gave it up last.</summary>
internal sealed record LeaseReading(LeaseRecord? Lease, LeaseRelease? Release);

/// <param name="Successor">Empty: whoever comes first.</param>
/// <param name="Reason"><c>resigned</c> or <c>manual</c>.</param>
internal sealed record LeaseRelease(string Successor, string From, string Reason, string TraceParent);

/// <summary>One command of a fenced write.</summary>
internal sealed record FencedCommand(string Command, string Key, params string[] Arguments);

/// <summary>The lease and the fenced writes in a Redis-compatible store. Thread-safe.</summary>
internal sealed class LeaseStore(IConnectionMultiplexer redis, NodeOptions node)
{
    private static readonly TimeSpan Reservation = TimeSpan.FromSeconds(2);

    private readonly string _prefix = $"{{galaxy:{node.Cluster}}}:";

    private IDatabase Database => redis.GetDatabase();

    public RedisChannel Events => RedisChannel.Literal(Key("events"));

    public string Key(string name) => _prefix + name;

    public async Task<LeaseReading> ReadAsync()
    {
        var fields = await RunAsync("lease.read", LeaseScripts.Read, [Key("lease"), Key("released")], []);
        var text = (string[])fields!;
        var lease = text[0].Length == 0
            ? null
            : new LeaseRecord(text[0], text[1], Number(text[2]), text[3], text[4], Number(text[5]));
        var release = text[7].Length == 0 ? null : new LeaseRelease(text[6], text[7], text[8], text[9]);
        return new LeaseReading(lease, release);
    }

    /// <summary>The lease under a new token, or null when somebody else holds it or has it reserved.</summary>
    public async Task<LeaseRecord?> AcquireAsync(string boot, string url, string traceParent, long minToken, TimeSpan ttl, long wallMs)
    {
        var answer = (RedisResult[])(await RunAsync("lease.acquire", LeaseScripts.Acquire,
            [Key("lease"), Key("token"), Key("accepted"), Key("released")],
            [node.NodeId, boot, url, traceParent, Ms(ttl), minToken, wallMs, Key("events")]))!;
        return (int)answer[0] == 1
            ? new LeaseRecord(node.NodeId, boot, Number((string)answer[1]!), url, traceParent, wallMs)
            : null;
    }

    public async Task<bool> RenewAsync(string boot, long token, TimeSpan ttl) =>
        Done(await RunAsync("lease.renew", LeaseScripts.Renew, [Key("lease")], [boot, token, Ms(ttl)]));

    /// <summary>False when the lease was not ours any more.</summary>
    public async Task<bool> ReleaseAsync(string boot, long token, string? successor, string reason, string traceParent) =>
        Done(await RunAsync("lease.release", LeaseScripts.Release, [Key("lease"), Key("released")],
            [boot, token, node.NodeId, successor ?? "", Ms(Reservation), reason, traceParent, Key("events")]));

    /// <summary>Runs the commands if no higher token has written before; false when one has.</summary>
    public async Task<bool> WriteAsync(long token, IReadOnlyList<FencedCommand> commands)
    {
        var keys = new List<RedisKey> { Key("accepted") };
        var arguments = new List<RedisValue> { token };
        foreach (var command in commands)
        {
            var index = keys.IndexOf(command.Key);
            if (index < 0)
            {
                keys.Add(command.Key);
                index = keys.Count - 1;
            }
            arguments.Add(command.Arguments.Length);
            arguments.Add(command.Command);
            arguments.Add(index + 1);
            arguments.AddRange(command.Arguments.Select(argument => (RedisValue)argument));
        }
        return Done(await RunAsync("fenced.write", LeaseScripts.Fenced, [.. keys], [.. arguments]));
    }

    private Task<RedisResult> RunAsync(string name, string script, RedisKey[] keys, RedisValue[] arguments) =>
        RedisStore.TracedAsync(name, () => Database.ScriptEvaluateAsync(script, keys, arguments));

    private static bool Done(RedisResult answer) => (int)((RedisResult[])answer!)[0] == 1;

    private static long Number(string text) => long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static long Ms(TimeSpan time) => (long)time.TotalMilliseconds;
}
