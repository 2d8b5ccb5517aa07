using System.Collections.Concurrent;
using Galaxy.Contracts.Gossip;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Http;
using Grpc.Core;
using Grpc.Net.Client;
using ClusterClient = Galaxy.Contracts.Cluster.Cluster.ClusterClient;

namespace Galaxy.ServiceDefaults.Cluster;

/// <summary>
/// One authenticated HTTP/2 channel per coordinator, shared by all callers in this process. Thread-safe.
/// </summary>
public sealed class CoordinatorChannels(ServiceTokens tokens) : IDisposable
{
    private static readonly TimeSpan CallPing = TimeSpan.FromSeconds(2);

    // The failure detector's own messages show which peers are alive, so that these pings may be rare: they would
    // outweigh the messages.
    private static readonly TimeSpan ConversationPing = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<string, GrpcChannel> _channels = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, GrpcChannel> _conversations = new(StringComparer.OrdinalIgnoreCase);

    public ClusterClient Cluster(string address) => new(Channel(address));

    public Gossip.GossipClient Gossip(string address) => new(Channel(address));

    public Contracts.Election.Election.ElectionClient Election(string address) => new(Channel(address));

    /// <summary>The discovery service of a machine, behind the same key.</summary>
    public Contracts.Discovery.Discovery.DiscoveryClient Discovery(string address) => new(Channel(address));

    /// <summary>A connection of its own for the failure detector's messages, which no other call can hold up.</summary>
    public Gossip.GossipClient Conversation(string address) =>
        new(_conversations.GetOrAdd(address, key => Create(key, ConversationPing)));

    /// <summary>
    /// The next conversation with that address gets a new connection: the present one may be dead without knowing it.
    /// </summary>
    public void HangUp(string address)
    {
        if (_conversations.TryRemove(address, out var channel))
            channel.Dispose();
    }

    private GrpcChannel Channel(string address) => _channels.GetOrAdd(address, key => Create(key, CallPing));

    private GrpcChannel Create(string address, TimeSpan ping)
    {
        var handler = InternalHttp.CreateHandler(handler =>
        {
            handler.ConnectTimeout = TimeSpan.FromSeconds(2);
            // Notices a peer that vanished without closing; a dead process is noticed by the reset at once.
            handler.KeepAlivePingDelay = ping;
            handler.KeepAlivePingTimeout = TimeSpan.FromSeconds(1);
            handler.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests;
            handler.EnableMultipleHttp2Connections = true;
        });
        var options = new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            // A coordinator that was restarted leads again within a second; the library's own pause would hide it for
            // as long.
            InitialReconnectBackoff = TimeSpan.FromMilliseconds(20),
            MaxReconnectBackoff = TimeSpan.FromMilliseconds(250),
        };
        if (tokens.IsNeeded)
        {
            options.UnsafeUseInsecureChannelCallCredentials = true;
            options.Credentials = ChannelCredentials.Create(
                address.StartsWith("https:", StringComparison.OrdinalIgnoreCase)
                    ? ChannelCredentials.SecureSsl
                    : ChannelCredentials.Insecure,
                // Each call has a token of its own: a process that poses as a coordinator learns nothing that gives
                // access to another endpoint.
                CallCredentials.FromInterceptor(
                    (call, metadata) =>
                    {
                        metadata.Add(
                            "authorization",
                            "Bearer "
                                + tokens.Mint(
                                    tokens.NodeId,
                                    AccessRole.Admin,
                                    "POST",
                                    $"{new Uri(call.ServiceUrl).AbsolutePath}/{call.MethodName}"
                                )
                        );
                        return Task.CompletedTask;
                    }
                )
            );
        }
        return InternalHttp.CreateChannel(address, options);
    }

    public void Dispose()
    {
        foreach (var channel in _channels.Values.Concat(_conversations.Values))
            channel.Dispose();
    }
}
