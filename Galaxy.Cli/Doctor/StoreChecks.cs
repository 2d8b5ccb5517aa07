using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace Galaxy.Cli.Doctor;

/// <summary>
/// The stores that settings name, asked directly: whether they answer, take the password, and keep what is written.
/// </summary>
internal static class StoreChecks
{
    public static async Task<IReadOnlyList<Finding>> LookAsync(Patient patient)
    {
        if (patient.Node is null or { Role: NodeRole.Worker })
            return [];
        IReadOnlyList<ConfigurationOptions> options;
        try
        {
            var named =
                patient.Settings.GetConnectionString("redis") is { Length: > 0 }
                || !string.IsNullOrEmpty(patient.Settings[EmbeddedStores.Setting]);
            if (!named)
                return [Finding.Fine("store", "No store is named: this machine keeps one itself, once it is started.")];
            options = RedisStore.ReadOptions(patient.Settings);
        }
        catch (SettingException refused)
        {
            return [Finding.Fault("store", refused.Message, "Correct it; it must be the same on all machines.")];
        }
        var looked = await Task.WhenAll(options.Select(AskAsync));
        var findings = looked.SelectMany(one => one).ToList();
        var away = looked.Count(one => !one.Exists(finding => finding.Severity == Severity.Fine));
        if (options.Count > 1 && away > 0)
        {
            findings.Add(
                away * 2 > options.Count
                    ? Finding.Fault(
                        "store",
                        $"{away} of {options.Count} stores are away: nobody can lead.",
                        "Bring a majority of them back."
                    )
                    : Finding.Warning(
                        "store",
                        $"{away} of {options.Count} stores are away; the others suffice, but one more loss "
                            + "may not be borne.",
                        "Bring it back: it is brought up to date by itself."
                    )
            );
        }
        return findings;
    }

    private static async Task<List<Finding>> AskAsync(ConfigurationOptions options)
    {
        var where = options.EndPoints[0] is System.Net.DnsEndPoint dns
            ? $"{dns.Host}:{dns.Port}"
            : options.EndPoints[0].ToString()!;
        options.ConnectTimeout = options.AsyncTimeout = (int)Patient.Patience.TotalMilliseconds;
        options.AbortOnConnectFail = true;
        options.AllowAdmin = true;
        try
        {
            await using var store = await ConnectionMultiplexer.ConnectAsync(options);
            await store.GetDatabase().PingAsync();
            var findings = new List<Finding> { Finding.Fine("store", $"{where} answers.") };
            findings.AddRange(await KeepsAsync(store, where));
            return findings;
        }
        catch (Exception refused) when (refused is RedisException or TimeoutException)
        {
            var words = refused.ToString();
            return
                words.Contains("WRONGPASS", StringComparison.Ordinal)
                || words.Contains("NOAUTH", StringComparison.Ordinal)
                || words.Contains("AuthenticationFailure", StringComparison.Ordinal)
                ?
                [
                    Finding.Fault(
                        "store",
                        $"The store at {where} refuses the password.",
                        "Correct the password in ConnectionStrings__redis; with GALAXY_STORES it comes "
                            + "from GALAXY_API_KEY, which must be the same on that machine."
                    ),
                ]
                :
                [
                    Finding.Fault(
                        "store",
                        $"The store at {where} does not answer.",
                        "Start it, let its port through the firewall, or correct the address."
                    ),
                ];
        }
    }

    // Only a Redis of the user can have wrong settings; the embedded store has neither setting.
    private static async Task<List<Finding>> KeepsAsync(ConnectionMultiplexer store, string where)
    {
        var findings = new List<Finding>();
        try
        {
            var server = store.GetServers()[0];
            if (
                (await server.ConfigGetAsync("maxmemory-policy")) is [{ Value: var policy }, ..]
                && policy.StartsWith("allkeys", StringComparison.Ordinal)
            )
                findings.Add(
                    Finding.Fault(
                        "store",
                        $"{where} throws away what it likes when its memory is full (maxmemory-policy "
                            + $"{policy}): tasks, or the lease.",
                        "redis-cli CONFIG SET maxmemory-policy noeviction, and the same in redis.conf."
                    )
                );
            if ((await server.ConfigGetAsync("appendonly")) is [{ Value: "no" }, ..])
                findings.Add(
                    Finding.Fault(
                        "store",
                        $"{where} keeps no append-only file: a restart loses acknowledged tasks.",
                        "redis-cli CONFIG SET appendonly yes, and the same in redis.conf; with appendfsync "
                            + "always nothing is lost even when the power goes."
                    )
                );
        }
        catch (RedisException)
        {
            // The store does not let this machine read that.
        }
        return findings;
    }
}
