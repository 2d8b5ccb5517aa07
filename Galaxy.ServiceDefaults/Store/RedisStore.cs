using System.Diagnostics;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace Galaxy.ServiceDefaults.Store;

/// <summary>The connection to the Redis-compatible store.</summary>
public static class RedisStore
{
    private static readonly ActivitySource Source = new("Galaxy.Store");

    /// <summary>
    /// The store's address: <c>ConnectionStrings:redis</c>, or what Aspire's Redis component calls
    /// <c>Aspire:StackExchange:Redis:ConnectionString</c>.
    /// </summary>
    /// <exception cref="SettingException">Neither is set, or the text is not a connection string.</exception>
    public static ConfigurationOptions ReadOptions(IConfiguration configuration)
    {
        var text = configuration.GetConnectionString("redis") ?? configuration["Aspire:StackExchange:Redis:ConnectionString"];
        if (string.IsNullOrWhiteSpace(text))
            throw new SettingException("ConnectionStrings__redis", text, "an address such as localhost:6379; run Galaxy.AppHost for a store that needs no set-up");
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

    /// <summary>Connects, and waits up to <paramref name="patience"/> for the store to answer.</summary>
    /// <exception cref="StartupException">It did not.</exception>
    public static async Task<IConnectionMultiplexer> ConnectAsync(IConfiguration configuration, TimeSpan patience)
    {
        var options = ReadOptions(configuration);
        var redis = await ConnectionMultiplexer.ConnectAsync(options);
        var deadline = Stopwatch.GetTimestamp() + (long)(patience.TotalSeconds * Stopwatch.Frequency);
        Exception? last = null;
        while (Stopwatch.GetTimestamp() < deadline)
        {
            try
            {
                await redis.GetDatabase().PingAsync();
                return redis;
            }
            catch (RedisException notYet)
            {
                last = notYet;
                await Task.Delay(200);
            }
            catch (TimeoutException notYet)
            {
                last = notYet;
            }
        }
        await redis.DisposeAsync();
        var where = string.Join(", ", options.EndPoints.Select(Show));
        throw new StartupException($"The store at {where} does not answer. Start it, or correct ConnectionStrings__redis.", last);
    }

    private static string Show(System.Net.EndPoint endPoint) => endPoint switch
    {
        System.Net.DnsEndPoint dns => $"{dns.Host}:{dns.Port}",
        _ => endPoint.ToString() ?? "?",
    };

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
