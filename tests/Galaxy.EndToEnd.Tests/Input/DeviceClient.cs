using System.Net.WebSockets;
using System.Text;

namespace Galaxy.EndToEnd.Tests.Input;

/// <summary>The socket of a device, with nothing that would keep a test from sending what no device sends.</summary>
internal static class DeviceClient
{
    /// <summary>Connects through the gateway, with the cluster's key.</summary>
    public static async Task<ClientWebSocket> ConnectAsync(RunningGalaxy galaxy, string id)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", "Bearer " + galaxy.Key);
        socket.Options.AddSubProtocol("galaxy.v1");
        await socket.ConnectAsync(
            new UriBuilder(galaxy.Host.Url("gateway", "ws")) { Scheme = "ws", Path = "/ws/device/" + id }.Uri,
            TestContext.Current.CancellationToken
        );
        return socket;
    }

    public static Task SayAsync(this ClientWebSocket socket, string message) =>
        socket.SayAsync(Encoding.UTF8.GetBytes(message));

    public static Task SayAsync(this ClientWebSocket socket, byte[] message) =>
        socket.SendAsync(message, WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);
}
