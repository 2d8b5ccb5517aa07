using System.Net;
using System.Net.Sockets;
using Galaxy.Core.Discovery;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Cli.Worker;

/// <summary>Finds a coordinator by asking the local network (UDP announce).</summary>
internal static class MasterFinder
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The API address of a coordinator of our cluster that proves it knows the key; null when none answers.
    /// </summary>
    public static async Task<Uri?> FindAsync(NodeOptions node, TimeProvider time, CancellationToken cancellation)
    {
        using var socket = new UdpClient(AddressFamily.InterNetwork);
        socket.Client.Bind(new IPEndPoint(IPAddress.Any, 0));
        socket.EnableBroadcast = true;
        var key = node.ApiKey is { } apiKey ? ApiKey.Derive(apiKey, "announce") : null;
        var question = new Announcement(
            AnnouncementKind.Discover,
            node.NodeId,
            time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0
        )
        {
            Role = "worker",
            Cluster = node.Cluster,
            Nonce = Guid.NewGuid().ToString("N"),
        };
        var bytes = (key is null ? question : question.Sign(key)).ToBytes();
        foreach (var address in new[] { IPAddress.Loopback, IPAddress.Parse("239.255.255.250"), IPAddress.Broadcast })
        {
            try
            {
                await socket.SendAsync(bytes, new IPEndPoint(address, node.BroadcastPort), cancellation);
            }
            catch (SocketException)
            {
                // No route for that address here; the others may have one.
            }
        }
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            while (true)
            {
                var answer = await socket.ReceiveAsync(patience.Token);
                if (
                    Announcement.TryParse(answer.Buffer, out var found)
                    && found.Kind == AnnouncementKind.Response
                    && found.Cluster == node.Cluster
                    && (
                        key is null
                        || found.IsSignedWith(key)
                        || (node.OtherApiKey is { } other && found.IsSignedWith(ApiKey.Derive(other, "announce")))
                    )
                    && Uri.TryCreate(found.Url, UriKind.Absolute, out var url)
                )
                    return url;
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }
}
