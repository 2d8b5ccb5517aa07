// The one place for clients that leave the cluster; BannedSymbols.Http.txt keeps their constructors out of everything
// else.
#pragma warning disable RS0030
using System.Net;

namespace Galaxy.ServiceDefaults.Http;

/// <summary>
/// Clients for addresses outside the cluster: providers of models, tools, callbacks of tasks, <c>http.request</c> of a
/// worker. They use the proxy of the environment or the operating system, within the limits of
/// <see cref="OutboundProxy"/>. Calls inside the cluster are made by <see cref="InternalHttp"/>.
/// </summary>
public static class OutboundHttp
{
    private static readonly Lazy<OutboundProxy> System = new(() =>
        new OutboundProxy(HttpClient.DefaultProxy, Setting("no_proxy") ?? Setting("NO_PROXY"))
    );

    // A variable that is set to nothing is not set.
    private static string? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <summary>The proxy of this process. Read once: a change of the environment needs a restart.</summary>
    public static IWebProxy Proxy => System.Value;

    /// <summary>
    /// Makes the same rule the default of the process, for clients that libraries make, such as the exporter of
    /// telemetry. Idempotent; called before the first request.
    /// </summary>
    public static void UseAsDefault() => HttpClient.DefaultProxy = Proxy;

    /// <summary>A handler that uses the proxy.</summary>
    /// <param name="configure">What else is to be set; called once.</param>
    public static SocketsHttpHandler CreateHandler(Action<SocketsHttpHandler>? configure = null)
    {
        var handler = new SocketsHttpHandler { Proxy = Proxy };
        configure?.Invoke(handler);
        return handler;
    }

    /// <summary>A client that uses the proxy.</summary>
    /// <param name="timeout">For one answer with its body; <see cref="Timeout.InfiniteTimeSpan"/>: the caller's token
    /// decides.</param>
    public static HttpClient CreateClient(TimeSpan timeout) => new(CreateHandler()) { Timeout = timeout };
}
