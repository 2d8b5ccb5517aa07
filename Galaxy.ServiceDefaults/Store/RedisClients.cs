using System.Diagnostics;
using Aspire.StackExchange.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Galaxy.ServiceDefaults.Store;

/// <summary>
/// The clients of the stores, by Aspire's Redis integration: one keyed client for each store, with its health check.
/// The keys are <c>redis</c>, <c>redis-2</c> … and, for a second connection of each, <c>redis-urgent</c>,
/// <c>redis-2-urgent</c> …
/// </summary>
public static class RedisClients
{
    private const string TracingSetting = "Aspire:StackExchange:Redis:DisableTracing";
    private const string HealthCheckPrefix = "StackExchange.Redis";
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WarningInterval = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Registers the clients and <see cref="RedisStores"/>; <see cref="ConnectStoresAsync"/> opens them.
    /// </summary>
    /// <param name="withUrgent">Whether each store gets a second connection for what must not wait.</param>
    /// <exception cref="SettingException">As <see cref="RedisStore.ReadOptions"/>.</exception>
    public static void AddRedisStores(this IHostApplicationBuilder builder, bool withUrgent)
    {
        var texts = RedisStore.ReadConnectionStrings(builder.Configuration);
        for (var i = 0; i < texts.Count; i++)
        {
            builder.AddRedisStore(Key(i), texts[i]);
            if (withUrgent)
                builder.AddRedisStore(UrgentKey(i), texts[i], settings => settings.DisableHealthChecks = true);
        }
        var options = RedisStore.ReadOptions(builder.Configuration);
        builder.Services.AddSingleton(services =>
        {
            var stores = texts
                .Select((_, i) => services.GetRequiredKeyedService<IConnectionMultiplexer>(Key(i)))
                .ToList();
            return new RedisStores(stores)
            {
                Urgent = withUrgent
                    ?
                    [
                        .. texts.Select(
                            (_, i) => services.GetRequiredKeyedService<IConnectionMultiplexer>(UrgentKey(i))
                        ),
                    ]
                    : stores,
                Options = options,
            };
        });
    }

    /// <summary>Registers the client of one store.</summary>
    public static void AddRedisStore(
        this IHostApplicationBuilder builder,
        string key,
        string connectionString,
        Action<StackExchangeRedisSettings>? settings = null,
        Action<ConfigurationOptions>? options = null
    )
    {
        builder.AddKeyedRedisClient(
            key,
            redis =>
            {
                redis.ConnectionString = connectionString;
                // A store may come later than its clients: they are opened where that is waited for.
                redis.DisableAutoActivation = true;
                // Spans of store calls are made by RedisStore.TracedAsync: the integration's would be one trace for
                // each poll of the lease, and would arrive ten seconds late. docs/decisions/0028 has the numbers.
                redis.DisableTracing = !string.Equals(
                    builder.Configuration[TracingSetting],
                    "false",
                    StringComparison.OrdinalIgnoreCase
                );
                settings?.Invoke(redis);
            },
            redis =>
            {
                RedisStore.Complete(redis, builder.Configuration);
                options?.Invoke(redis);
            }
        );
        // A component that cannot work without a store reports that itself; a store of a quorum that is away is no
        // failure of the service.
        builder.Services.PostConfigure<HealthCheckServiceOptions>(health =>
        {
            foreach (
                var check in health.Registrations.Where(check =>
                    check.Name.StartsWith(HealthCheckPrefix, StringComparison.Ordinal)
                )
            )
                check.FailureStatus = HealthStatus.Degraded;
        });
    }

    /// <summary>
    /// Opens the connections, all at once, whether the stores answer or not: each connects by itself as soon as its
    /// store is there, and again after a loss. A Sentinel that does not know its store yet is asked again until it
    /// does.
    /// </summary>
    public static async Task ConnectStoresAsync(this IHost host)
    {
        var options = RedisStore.ReadOptions(host.Services.GetRequiredService<IConfiguration>());
        await Task.WhenAll(
            options.SelectMany(
                (store, i) => new[] { Key(i), UrgentKey(i) }.Select(key => OpenAsync(host.Services, key, store))
            )
        );
        _ = host.Services.GetRequiredService<RedisStores>();
    }

    // The integration connects within the constructor of the service, at most for the timeout of a connection.
    private static async Task OpenAsync(IServiceProvider services, string key, ConfigurationOptions options)
    {
        long? warnedAt = null;
        while (true)
        {
            try
            {
                await Task.Run(() => services.GetKeyedService<IConnectionMultiplexer>(key));
                return;
            }
            catch (RedisConnectionException unknown)
            {
                if (warnedAt is not { } at || Stopwatch.GetElapsedTime(at) > WarningInterval)
                {
                    warnedAt = Stopwatch.GetTimestamp();
                    var reason = RedisStore.ReasonOf(unknown)
                        ?? await RedisStore.ConnectReasonAsync(options.EndPoints.FirstOrDefault());
                    await Console.Error.WriteLineAsync(
                        $"warning: Sentinel at {RedisStore.AddressOf(options)} names no store ({reason}). "
                            + "Waiting for it."
                    );
                }
                await Task.Delay(RetryInterval);
            }
        }
    }

    private static string Key(int store) => store == 0 ? "redis" : $"redis-{store + 1}";

    private static string UrgentKey(int store) => Key(store) + "-urgent";
}
