// The one place for clients inside the cluster; BannedSymbols.Http.txt keeps their constructors out of everything else.
#pragma warning disable RS0030
using System.Net.WebSockets;
using System.Text;
using Grpc.Net.Client;

namespace Galaxy.ServiceDefaults.Http;

/// <summary>
/// Clients for calls inside the cluster: to this machine, to other nodes, and the probes of both. They never use a
/// proxy, whatever <c>HTTP_PROXY</c>, <c>HTTPS_PROXY</c>, <c>ALL_PROXY</c> or the operating system say: a proxy cannot
/// reach 127.0.0.1 of this machine, and a cluster must not fall apart when the proxy does. Calls to addresses outside
/// the cluster are made by <see cref="OutboundHttp"/>.
/// </summary>
public static class InternalHttp
{
    // More than the replicated state can be: what a coordinator sends as one message is bounded where it is written.
    private const int MaxMessageBytes = 128 * 1024 * 1024;

    /// <summary>
    /// A handler that connects directly. Headers are UTF-8, as Kestrel reads them: what a client sent can be passed on.
    /// </summary>
    /// <param name="configure">What else is to be set; called once.</param>
    public static SocketsHttpHandler CreateHandler(Action<SocketsHttpHandler>? configure = null)
    {
        var handler = new SocketsHttpHandler
        {
            RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8,
            ResponseHeaderEncodingSelector = (_, _) => Encoding.UTF8,
        };
        configure?.Invoke(handler);
        handler.UseProxy = false;
        return handler;
    }

    /// <summary>A client that connects directly.</summary>
    /// <param name="timeout">For one answer with its body; <see cref="Timeout.InfiniteTimeSpan"/>: the caller's token
    /// decides.</param>
    /// <param name="baseAddress">What relative addresses are relative to.</param>
    public static HttpClient CreateClient(TimeSpan timeout, Uri? baseAddress = null) =>
        new(CreateHandler()) { Timeout = timeout, BaseAddress = baseAddress };

    /// <summary>A socket that connects directly.</summary>
    public static ClientWebSocket CreateWebSocket()
    {
        var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        return socket;
    }

    /// <summary>A channel that connects directly.</summary>
    /// <param name="options">Its handler, when it has one, comes from <see cref="CreateHandler"/>.</param>
    public static GrpcChannel CreateChannel(string address, GrpcChannelOptions? options = null)
    {
        options ??= new GrpcChannelOptions();
        options.MaxReceiveMessageSize = MaxMessageBytes;
        if (options.HttpHandler is null)
        {
            options.HttpHandler = CreateHandler();
            options.DisposeHttpClient = true;
        }
        return GrpcChannel.ForAddress(address, options);
    }
}
