using System.Collections.Concurrent;
using Galaxy.OneApi.Providers;

namespace Galaxy.OneApi.Routing;

/// <summary>
/// Which key of a provider is next, and which ones are in cooldown: a key that was refused or rate-limited is not used
/// for a while. Thread-safe.
/// </summary>
internal sealed class KeyRing(TimeProvider time)
{
    private static readonly TimeSpan FirstRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(1);

    private sealed record Rest(DateTimeOffset Until, int Failures, bool IsRefused);

    private readonly ConcurrentDictionary<(string Provider, string Key), Rest> _rests = [];
    private readonly ConcurrentDictionary<string, int> _turns = [];

    /// <summary>
    /// The next key that is not in cooldown. Null, with the time to wait: all keys are in cooldown, because each was
    /// rate-limited or, if so, refused.
    /// </summary>
    public (string? Key, TimeSpan? Wait, bool IsRefused) Take(Provider provider)
    {
        // The usual case costs nothing.
        if (_rests.IsEmpty && provider.Keys.Count <= 1)
            return (provider.Keys.Count == 0 ? "" : provider.Keys[0], null, false);
        IReadOnlyList<string> keys = provider.Keys.Count == 0 ? [""] : provider.Keys;
        var turn = keys.Count == 1 ? 0 : _turns.AddOrUpdate(provider.Name, 0, (_, last) => (last + 1) & int.MaxValue);
        TimeSpan? shortest = null;
        var isRefused = true;
        for (var i = 0; i < keys.Count; i++)
        {
            var key = keys[(turn + i) % keys.Count];
            if (!_rests.TryGetValue((provider.Name, key), out var rest) || rest.Until <= time.GetUtcNow())
                return (key, null, false);
            isRefused &= rest.IsRefused;
            var wait = rest.Until - time.GetUtcNow();
            shortest = shortest is null || wait < shortest ? wait : shortest;
        }
        return (null, shortest, isRefused);
    }

    /// <param name="after">What the provider said, if it did; otherwise each failure in a row doubles the
    /// cooldown.</param>
    /// <param name="isRefused">The key is not rate-limited but wrong.</param>
    public void Cool(Provider provider, string? key, TimeSpan? after, bool isRefused)
    {
        var now = time.GetUtcNow();
        _rests.AddOrUpdate(
            (provider.Name, key ?? ""),
            _ => new Rest(now + (after ?? FirstRest), 1, isRefused),
            (_, rest) =>
            {
                var doubled = FirstRest * Math.Pow(2, Math.Min(rest.Failures, 10));
                return new Rest(
                    now + (after ?? (doubled < LongestRest ? doubled : LongestRest)),
                    rest.Failures + 1,
                    isRefused
                );
            }
        );
    }

    /// <summary>The rest of a key's cooldown, and whether the key was refused; null: it is not in cooldown.</summary>
    public (TimeSpan Left, bool IsRefused)? RestOf(Provider provider, string key) =>
        _rests.TryGetValue((provider.Name, key), out var rest) && rest.Until - time.GetUtcNow() is { Ticks: > 0 } left
            ? (left, rest.IsRefused)
            : null;

    public void Succeeded(Provider provider, string? key)
    {
        if (!_rests.IsEmpty)
            _rests.TryRemove((provider.Name, key ?? ""), out _);
    }
}
