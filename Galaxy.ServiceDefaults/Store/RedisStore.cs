using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace Galaxy.ServiceDefaults.Store;

/// <summary>How the Redis-compatible stores are reached.</summary>
public static class RedisStore
{
    private static readonly ActivitySource Source = new("Galaxy.Store");
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The store's address: <c>ConnectionStrings:redis</c>, or what Aspire's Redis component calls
    /// <c>Aspire:StackExchange:Redis:ConnectionString</c>. Three or five, separated by <c>|</c>, make a quorum. Without
    /// either, the embedded stores that <c>GALAXY_STORES</c> names.
    /// </summary>
    /// <exception cref="SettingException">Neither is set, the text is not a connection string, or there are two or four
    /// stores.</exception>
    public static IReadOnlyList<ConfigurationOptions> ReadOptions(IConfiguration configuration) =>
        [.. ReadConnectionStrings(configuration).Select(text => Complete(Parse(text), configuration))];

    /// <summary>
    /// The connection strings that <see cref="ReadOptions"/> is about, one for each store; all can be parsed.
    /// </summary>
    /// <exception cref="SettingException">As <see cref="ReadOptions"/>.</exception>
    public static IReadOnlyList<string> ReadConnectionStrings(IConfiguration configuration)
    {
        var first = configuration.GetConnectionString("redis")
            ?? configuration["Aspire:StackExchange:Redis:ConnectionString"];
        // What an AppHost with several stores injects, one by one.
        var text = string.Join(
            '|',
            Enumerable
                .Range(2, 4)
                .Select(i => configuration.GetConnectionString($"redis-{i}"))
                .Prepend(first)
                .OfType<string>()
        );
        if (string.IsNullOrWhiteSpace(text))
            text = string.Join('|', EmbeddedStores.Read(configuration).Select(store => store.ConnectionString));
        if (string.IsNullOrWhiteSpace(text))
            throw new SettingException(
                "ConnectionStrings__redis",
                text,
                "an address such as localhost:6379; run Galaxy.AppHost for a store that needs no set-up"
            );
        var parts = text.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (
            parts.Length is not (1 or 3 or 5)
            || parts.Distinct(StringComparer.OrdinalIgnoreCase).Count() != parts.Length
        )
            throw new SettingException(
                "ConnectionStrings__redis",
                text,
                "one address, or three or five different ones separated by '|'"
            );
        foreach (var part in parts)
            _ = Parse(part);
        return parts;
    }

    /// <summary>Whether any store is configured.</summary>
    public static bool IsConfigured(IConfiguration configuration) =>
        configuration.GetConnectionString("redis") is { Length: > 0 }
        || configuration["Aspire:StackExchange:Redis:ConnectionString"] is { Length: > 0 };

    private static ConfigurationOptions Parse(string text)
    {
        try
        {
            return ConfigurationOptions.Parse(text);
        }
        catch (ArgumentException)
        {
            throw new SettingException("ConnectionStrings__redis", text, "host:port[,password=…][,ssl=true]");
        }
    }

    /// <summary>
    /// Adds to what a connection string says how long calls and tries may take, and the password where it is a secret
    /// of its own.
    /// </summary>
    internal static ConfigurationOptions Complete(ConfigurationOptions options, IConfiguration configuration)
    {
        if (configuration["GALAXY_REDIS_PASSWORD"]?.Trim() is { Length: > 0 } password)
            options.Password ??= password;
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
    /// Why a store does not answer, in a few words; null: it does. Asked over a connection of its own, since one that
    /// tries again and again keeps no reason.
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

    internal static string? ReasonOf(Exception failure)
    {
        var text = failure.ToString();
        bool Says(string word) => text.Contains(word, StringComparison.OrdinalIgnoreCase);
        return Says("WRONGPASS") || Says("NOAUTH") || Says("AuthenticationFailure") || Says("invalid password")
                ? "it refuses the password; with GALAXY_STORES that comes from GALAXY_API_KEY"
            : Says("LOADING") ? "it still reads its data"
            : null;
    }

    // The library does not say what the system said.
    internal static async Task<string> ConnectReasonAsync(EndPoint? endPoint)
    {
        using var timeout = new CancellationTokenSource(ConnectTimeout);
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await (
                endPoint is DnsEndPoint dns
                    ? socket.ConnectAsync(
                        dns.Host,
                        dns.Port == 0 ? EmbeddedStores.DefaultPort : dns.Port,
                        timeout.Token
                    )
                    : socket.ConnectAsync(endPoint!, timeout.Token)
            );
            return "it is reached, but does not answer as a store does";
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode switch
            {
                SocketError.ConnectionRefused => "nothing listens there",
                SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain =>
                    "no name server knows that name",
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

    private static string Show(EndPoint endPoint) =>
        endPoint switch
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

    /// <summary>
    /// Runs a store call within a client span, but only as a part of a trace: polling makes none of its own.
    /// </summary>
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
