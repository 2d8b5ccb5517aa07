using System.Net.WebSockets;
using Yarp.ReverseProxy.Configuration;

namespace Galaxy.Bench.Gateway;

/// <summary>The programs that are measured beside, or behind, the gateway.</summary>
internal static class Upstreams
{
    /// <summary>Sends every message back.</summary>
    public static async Task EchoAsync(string port)
    {
        var app = Builder(port).Build();
        app.UseWebSockets();
        app.Map("/{**any}", async context =>
        {
            if (!context.WebSockets.IsWebSocketRequest)
                return;
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[4096];
            while (true)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (part.MessageType == WebSocketMessageType.Close)
                    return;
                await socket.SendAsync(
                    buffer.AsMemory(0, part.Count),
                    part.MessageType,
                    part.EndOfMessage,
                    CancellationToken.None
                );
            }
        });
        await app.RunAsync();
    }

    /// <summary>The least that YARP can be.</summary>
    public static async Task YarpAsync(string port, string upstream, string echo)
    {
        var builder = Builder(port);
        builder
            .Services.AddReverseProxy()
            .LoadFromMemory(
                [
                    new RouteConfig
                    {
                        RouteId = "echo",
                        ClusterId = "echo",
                        Order = 0,
                        Match = new RouteMatch { Path = "/api/{**rest}" },
                    },
                    new RouteConfig
                    {
                        RouteId = "plain",
                        ClusterId = "plain",
                        Order = 1,
                        Match = new RouteMatch { Path = "/{**rest}" },
                    },
                ],
                [
                    new ClusterConfig
                    {
                        ClusterId = "echo",
                        Destinations = new Dictionary<string, DestinationConfig>
                        {
                            ["one"] = new() { Address = $"http://127.0.0.1:{echo}" },
                        },
                    },
                    new ClusterConfig
                    {
                        ClusterId = "plain",
                        Destinations = new Dictionary<string, DestinationConfig>
                        {
                            ["one"] = new() { Address = $"http://127.0.0.1:{upstream}" },
                        },
                    },
                ]
            );
        var app = builder.Build();
        app.MapReverseProxy();
        await app.RunAsync();
    }

    private static WebApplicationBuilder Builder(string port)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseUrls("http://127.0.0.1:" + port);
        return builder;
    }
}
