using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
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

    /// <summary>How each is reached, in the same order; empty where connections were made by hand.</summary>
    public IReadOnlyList<ConfigurationOptions> Options { get; init; } = [];
}

/// <summary>How the Redis-compatible stores are reached.</summary>
public static class RedisStore
{
    private static readonly ActivitySource Source = new("Galaxy.Store");
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SayEvery = TimeSpan.FromSeconds(30);

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
        options.ConnectTimeout = (int)ConnectTimeout.TotalMilliseconds;
        options.AsyncTimeout = 1000;
        options.SyncTimeout = 1000;
        options.ConnectRetry = 1;
        options.ReconnectRetryPolicy = new LinearRetry(250);
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.HeartbeatInterval = TimeSpan.FromMilliseconds(500);
        return options;
    }

    /// <summary>
    /// Opens the connections, whether the stores answer or not: each connects by itself as soon as its store is there, and again after
    /// a loss. A Sentinel that does not know its store yet is asked again until it does.
    /// </summary>
    /// <exception cref="SettingException">As <see cref="ReadOptions"/>.</exception>
    public static async Task<RedisStores> ConnectAsync(IConfiguration configuration)
    {
        var options = ReadOptions(configuration);
        // All at once: one that is away takes its whole timeout.
        var stores = options.Select(OpenAsync).ToList();
        var urgent = options.Select(OpenAsync).ToList();
        return new RedisStores([.. await Task.WhenAll(stores)])
        {
            Urgent = [.. await Task.WhenAll(urgent)],
            Options = options,
        };
    }

    private static async Task<IConnectionMultiplexer> OpenAsync(ConfigurationOptions options)
    {
        long? said = null;
        while (true)
        {
            try
            {
                return await ConnectionMultiplexer.ConnectAsync(options);
            }
            catch (RedisConnectionException unknown)
            {
                if (said is not { } at || Stopwatch.GetElapsedTime(at) > SayEvery)
                {
                    said = Stopwatch.GetTimestamp();
                    var reason = ReasonOf(unknown) ?? await ConnectReasonAsync(options.EndPoints.FirstOrDefault());
                    await Console.Error.WriteLineAsync($"warning: Sentinel at {AddressOf(options)} names no store ({reason}). Waiting for it.");
                }
                await Task.Delay(1000);
            }
        }
    }

    /// <summary>
    /// Why a store does not answer, in a few words; null: it does. Asked over a connection of its own, since one that tries again and
    /// again keeps no reason.
    /// </summary>
    public static async Task<string?> DiagnoseAsync(ConfigurationOptions options)
    {
        var asked = options.Clone();
        asked.AbortOnConnectFail = true;
        try
        {
            await using var store = await ConnectionMultiplexer.ConnectAsync(asked);
            await store.GetDatabase().PingAsync();
            return null;
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            return ReasonOf(failure) ?? await ConnectReasonAsync(options.EndPoints.FirstOrDefault());
        }
    }

    private static string? ReasonOf(Exception failure)
    {
        var text = failure.ToString();
        bool Says(string word) => text.Contains(word, StringComparison.OrdinalIgnoreCase);
        return Says("WRONGPASS") || Says("NOAUTH") || Says("AuthenticationFailure") || Says("invalid password")
            ? "it refuses the password; with GALAXY_STORES that comes from GALAXY_API_KEY"
            : Says("LOADING") ? "it still reads its data" : null;
    }

    // The library does not say what the system said.
    private static async Task<string> ConnectReasonAsync(EndPoint? endPoint)
    {
        using var timeout = new CancellationTokenSource(ConnectTimeout);
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await (endPoint is DnsEndPoint dns
                ? socket.ConnectAsync(dns.Host, dns.Port == 0 ? EmbeddedStores.DefaultPort : dns.Port, timeout.Token)
                : socket.ConnectAsync(endPoint!, timeout.Token));
            return "it is reached, but does not answer as a store does";
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode switch
            {
                SocketError.ConnectionRefused => "nothing listens there",
                SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "no name server knows that name",
                _ => failure.Message,
            };
        }
        catch (OperationCanceledException)
        {
            return $"no answer within {ConnectTimeout.TotalSeconds:0} s: it is off, or a firewall is on the way";
        }
    }

    /// <summary>Where a store is, without its password.</summary>
    public static string AddressOf(ConfigurationOptions options) => string.Join(", ", options.EndPoints.Select(Show));

    private static string Show(EndPoint endPoint) => endPoint switch
    {
        DnsEndPoint { Port: 0 } dns => dns.Host,
        DnsEndPoint dns => $"{dns.Host}:{dns.Port}",
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
