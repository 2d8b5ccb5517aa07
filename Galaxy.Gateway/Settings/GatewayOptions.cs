using System.Net;

namespace Galaxy.Gateway.Settings;

/// <summary>A rate: so many a second on average, so many at once.</summary>
internal sealed record RateOptions
{
    public double RequestsPerSecond { get; init; }

    /// <summary>At once; 0: as many as in two seconds.</summary>
    public int Burst { get; init; }
}

/// <summary>
/// <c>config/gateway</c>, or the section <c>Gateway</c> of a gateway's own configuration. All of it is in force at once
/// when it changes.
/// </summary>
internal sealed record GatewayOptions
{
    public const string Section = "Gateway";

    /// <summary>
    /// How long requests wait for a leader, or are tried again: after a restart of the store it takes five to eight
    /// seconds until a node leads again.
    /// </summary>
    public double HoldSeconds { get; init; } = 15;

    public long MaxBodyBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Limit of all requests with the same key; null: not limited.</summary>
    public RateOptions? PerKey { get; init; }

    /// <summary>Limit of all requests from the same address; null: not limited.</summary>
    public RateOptions? PerAddress { get; init; }

    /// <summary>From one address; then it is refused for a while, whatever it shows.</summary>
    public int WrongKeysPerMinute { get; init; } = 300;

    /// <summary>Addresses or networks of proxies whose <c>X-Forwarded-For</c> is believed.</summary>
    public IReadOnlyList<string> TrustedProxies { get; init; } = [];

    /// <summary>Origins of web pages, besides the console's own, whose scripts may ask this gateway.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>When a service has sent nothing for so many seconds it has hung; by service.</summary>
    public IReadOnlyDictionary<string, double> TimeoutSeconds { get; init; } = new Dictionary<string, double>();

    /// <summary>So long a service that came anew gets less than its share.</summary>
    public double SlowStartSeconds { get; init; } = 10;

    /// <summary>So many failures in a row put a service aside.</summary>
    public int EjectAfterFailures { get; init; } = 5;

    /// <summary>For so long, the first time.</summary>
    public double EjectSeconds { get; init; } = 2;

    public TimeSpan Hold => TimeSpan.FromSeconds(HoldSeconds);

    /// <summary>The networks of <see cref="TrustedProxies"/>; what cannot be read is left out.</summary>
    public IEnumerable<IPNetwork> ProxyNetworks() =>
        TrustedProxies
            .Select(text =>
                IPNetwork.TryParse(text, out var network) ? network
                : IPAddress.TryParse(text, out var address)
                    ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
                : (IPNetwork?)null
            )
            .OfType<IPNetwork>();
}
