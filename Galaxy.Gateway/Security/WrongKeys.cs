using System.Collections.Concurrent;
using System.Net;
using Galaxy.Gateway.Settings;
using Microsoft.Extensions.Options;

namespace Galaxy.Gateway.Security;

/// <summary>
/// Counts wrong keys by address, in windows of a minute. A client that has shown too many is refused before its next
/// key is checked: otherwise it would learn of a right guess all the same. Thread-safe.
/// </summary>
internal sealed class WrongKeys(IOptionsMonitor<GatewayOptions> options, TimeProvider time)
{
    private const int MostAddresses = 100_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<IPAddress, (long Began, int Count)> _counts = new();

    // To ask the dictionary whether it is empty takes all its locks.
    private volatile bool _any;

    /// <summary>How long it is still refused; null: it is not.</summary>
    public TimeSpan? RefusedFor(IPAddress? address)
    {
        if (
            !_any
            || address is null
            || !_counts.TryGetValue(address, out var seen)
            || seen.Count < options.CurrentValue.WrongKeysPerMinute
        )
            return null;
        var left = Window - time.GetElapsedTime(seen.Began);
        return left > TimeSpan.Zero ? left : null;
    }

    public void Count(IPAddress? address)
    {
        if (address is null)
            return;
        _any = true;
        // An attacker with a network of addresses must not fill the memory; with so many, each has few tries.
        if (_counts.Count >= MostAddresses)
            _counts.Clear();
        _counts.AddOrUpdate(
            address,
            _ => (time.GetTimestamp(), 1),
            (_, seen) =>
                time.GetElapsedTime(seen.Began) >= Window ? (time.GetTimestamp(), 1) : (seen.Began, seen.Count + 1)
        );
    }
}
