using System.Diagnostics;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace Galaxy.ServiceDefaults.Store;

/// <summary>The connections to the store, or to the three or five of a quorum, in configured order.</summary>
public sealed record RedisStores(IReadOnlyList<IConnectionMultiplexer> All)
{
    /// <summary>
    /// The same stores over connections of their own, for what must not wait: a connection's answers come in the order of its questions, and a
    /// lease behind a hundred writes runs out.
    /// </summary>
    public IReadOnlyList<IConnectionMultiplexer> Urgent { get; init; } = All;
}

/// <summary>How the Redis-compatible stores are reached.</summary>
public static class RedisStore
{
    private static readonly ActivitySource Source = new("Galaxy.Store");

    /// <summary>
    /// The store's address: <c>ConnectionStrings:redis</c>, or what Aspire's Redis component calls
    /// <c>Aspire:StackExchange:Redis:ConnectionString</c>. Three or five, separated by <c>|</c>, make a quorum. Without either, the embedded stores
    /// that <c>GALAXY_STORES</c> names.
    /// </summary>
    /// <exception cref="SettingException">Neither is set, the text is not a connection string, or there are two or four stores.</exception>
    public static IReadOnlyList<ConfigurationOptions> ReadOptions(IConfiguration configuration)
    {
        var first = configuration.GetConnectionString("redis") ?? configuration["Aspire:StackExchange:Redis:ConnectionString"];
        // What an AppHost with several stores injects, one by one.
        var text = string.Join('|', Enumerable.Range(2, 4).Select(i => configuration.GetConnectionString($"redis-{i}")).Prepend(first).OfType<string>());
        if (string.IsNullOrWhiteSpace(text))
            text = string.Join('|', EmbeddedStores.Read(configuration).Select(store => store.ConnectionString));
        if (string.IsNullOrWhiteSpace(text))
            throw new SettingException("ConnectionStrings__redis", text, "an address such as localhost:6379; run Galaxy.AppHost for a store that needs no set-up");
        var parts = text.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is not (1 or 3 or 5) || parts.Distinct(StringComparer.OrdinalIgnoreCase).Count() != parts.Length)
            throw new SettingException("ConnectionStrings__redis", text, "one address, or three or five different ones separated by '|'");
        var options = parts.Select(Parse).ToList();
        // Where a password is a secret of its own, apart from the address.
        if (configuration["GALAXY_REDIS_PASSWORD"]?.Trim() is { Length: > 0 } password)
            options.ForEach(store => store.Password ??= password);
        return options;
    }

    private static ConfigurationOptions Parse(string text)
    {
        ConfigurationOptions options;
        try
        {
            options = ConfigurationOptions.Parse(text);
        }
        catch (ArgumentException)
        {
            throw new SettingException("ConnectionStrings__redis", text, "host:port[,password=…][,ssl=true]");
        }
        options.AbortOnConnectFail = false;
        options.ConnectTimeout = 1000;
        options.AsyncTimeout = 1000;
        options.SyncTimeout = 1000;
        options.ConnectRetry = 1;
        options.ReconnectRetryPolicy = new LinearRetry(250);
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.HeartbeatInterval = TimeSpan.FromMilliseconds(500);
        return options;
    }

    /// <summary>Connects, and waits up to <paramref name="patience"/> until a majority of the stores answers.</summary>
    /// <exception cref="StartupException">It did not.</exception>
    public static async Task<RedisStores> ConnectAsync(IConfiguration configuration, TimeSpan patience)
    {
        var options = ReadOptions(configuration);
        var stores = await Task.WhenAll(options.Select(store => ConnectionMultiplexer.ConnectAsync(store)));
        var urgent = await Task.WhenAll(options.Select(store => ConnectionMultiplexer.ConnectAsync(store)));
        var deadline = Stopwatch.GetTimestamp() + (long)(patience.TotalSeconds * Stopwatch.Frequency);
        Exception?[] failures;
        do
        {
            failures = await Task.WhenAll(stores.Select(PingAsync));
            if (failures.Count(failure => failure is null) > stores.Length / 2)
                return new RedisStores([.. stores]) { Urgent = [.. urgent] };
            await Task.Delay(200);
        }
        while (Stopwatch.GetTimestamp() < deadline);
        foreach (var store in stores.Concat(urgent))
            await store.DisposeAsync();
        var silent = options.Where((_, i) => failures[i] is not null).Select(store => string.Join(", ", store.EndPoints.Select(Show)));
        throw new StartupException(
            stores.Length == 1
                ? $"The store at {silent.First()} does not answer. Start it, or correct ConnectionStrings__redis."
                : $"Of {stores.Length} stores a majority must answer; these do not: {string.Join("; ", silent)}. Start them, or correct ConnectionStrings__redis.",
            failures.FirstOrDefault(failure => failure is not null));
    }

    private static async Task<Exception?> PingAsync(ConnectionMultiplexer store)
    {
        try
        {
            await store.GetDatabase().PingAsync();
            return null;
        }
        catch (Exception notYet) when (notYet is RedisException or TimeoutException)
        {
            return notYet;
        }
    }

    private static string Show(System.Net.EndPoint endPoint) => endPoint switch
    {
        System.Net.DnsEndPoint dns => $"{dns.Host}:{dns.Port}",
        _ => endPoint.ToString() ?? "?",
    };

    /// <inheritdoc cref="TracedAsync{T}"/>
    public static Task TracedAsync(string operation, Func<Task> call) => TracedAsync(operation, async () =>
    {
        await call();
        return true;
    });

    /// <summary>Runs a store call within a client span, but only as a part of a trace: polling makes none of its own.</summary>
    public static async Task<T> TracedAsync<T>(string operation, Func<Task<T>> call)
    {
        using var activity = Activity.Current is null ? null : Source.StartActivity(operation, ActivityKind.Client);
        activity?.SetTag("db.system.name", "redis");
        activity?.SetTag("db.operation.name", operation);
        try
        {
            return await call();
        }
        catch (Exception failure)
        {
            activity?.SetStatus(ActivityStatusCode.Error, failure.Message);
            throw;
        }
    }
}
