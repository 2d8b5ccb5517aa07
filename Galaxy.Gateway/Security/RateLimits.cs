using System.Globalization;
using System.Threading.RateLimiting;
using Galaxy.Gateway.Settings;
using Galaxy.Gateway.Telemetry;
using Microsoft.Extensions.Options;

namespace Galaxy.Gateway.Security;

/// <summary>
/// How fast one key and one address may ask. Off until <c>config/gateway</c> says a rate. Thread-safe.
/// </summary>
internal sealed class RateLimits : IDisposable
{
    private readonly IDisposable? _following;
    private volatile Limiters _limiters;

    public RateLimits(IOptionsMonitor<GatewayOptions> options)
    {
        _limiters = Make(options.CurrentValue);
        _following = options.OnChange(now =>
        {
            if (now.PerKey == _limiters.Key && now.PerAddress == _limiters.Address)
                return;
            var before = _limiters;
            _limiters = Make(now);
            before.ByKey?.Dispose();
            before.ByAddress?.Dispose();
        });
    }

    /// <summary>True when the request may go on; otherwise it was answered.</summary>
    public ValueTask<bool> AdmitAsync(HttpContext context)
    {
        var limiters = _limiters;
        if (limiters is { ByKey: null, ByAddress: null })
            return ValueTask.FromResult(true);
        var address = context.Connection.RemoteIpAddress?.ToString() ?? "unknown";
        return (limiters.ByAddress, context.User.Identity?.Name) switch
        {
            ({ } byAddress, _) when Take(byAddress, address) is { } wait => TooFastAsync(context, "address", wait),
            (_, { } name) when limiters.ByKey is { } byKey && Take(byKey, name) is { } wait => TooFastAsync(
                context,
                "key",
                wait
            ),
            _ => ValueTask.FromResult(true),
        };
    }

    // How long to wait; null: go on.
    private static TimeSpan? Take(PartitionedRateLimiter<string> limiter, string who)
    {
        try
        {
            using var lease = limiter.AttemptAcquire(who);
            return lease.IsAcquired ? null
                : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait
                : TimeSpan.FromSeconds(1);
        }
        catch (ObjectDisposedException)
        {
            // Its rate was changed in this moment.
            return null;
        }
    }

    private static async ValueTask<bool> TooFastAsync(HttpContext context, string what, TimeSpan wait)
    {
        await RefuseAsync(
            context,
            $"This {what} asks faster than 'config/gateway' allows. Try again a little later.",
            wait
        );
        return false;
    }

    /// <summary>429, with how long to wait.</summary>
    public static Task RefuseAsync(HttpContext context, string detail, TimeSpan wait)
    {
        context.RequestServices.GetRequiredService<GatewayMetrics>().Refusals.Add(1);
        context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds))
            .ToString(CultureInfo.InvariantCulture);
        return Results.Problem(detail, statusCode: 429, title: "Too many requests").ExecuteAsync(context);
    }

    private static Limiters Make(GatewayOptions options) =>
        new(options.PerKey, options.PerAddress, Make(options.PerKey), Make(options.PerAddress));

    private static PartitionedRateLimiter<string>? Make(RateOptions? rate) =>
        rate is not { RequestsPerSecond: > 0 }
            ? null
            : PartitionedRateLimiter.Create<string, string>(who => RateLimitPartition.GetTokenBucketLimiter(who, _ =>
                    {
                        // A bucket is filled in whole tokens: for slow rates one at a time, for fast ones ten times a
                        // second.
                        var period = TimeSpan.FromSeconds(Math.Max(0.1, 1 / rate.RequestsPerSecond));
                        return new TokenBucketRateLimiterOptions
                        {
                            TokenLimit = rate.Burst > 0 ? rate.Burst : Math.Max(1, (int)(2 * rate.RequestsPerSecond)),
                            ReplenishmentPeriod = period,
                            TokensPerPeriod = Math.Max(
                                1,
                                (int)Math.Round(rate.RequestsPerSecond * period.TotalSeconds)
                            ),
                            QueueLimit = 0,
                        };
                    }), StringComparer.Ordinal);

    public void Dispose()
    {
        _following?.Dispose();
        _limiters.ByKey?.Dispose();
        _limiters.ByAddress?.Dispose();
    }

    private sealed record Limiters(
        RateOptions? Key,
        RateOptions? Address,
        PartitionedRateLimiter<string>? ByKey,
        PartitionedRateLimiter<string>? ByAddress
    );
}
