namespace Galaxy.Gateway.Routing;

/// <summary>What the three ports let through.</summary>
internal static class PortRules
{
    /// <summary>
    /// The console is served on its own port only. On the socket port anything but a WebSocket upgrade is refused, and
    /// a client configured with the bare <c>ws://host:8765</c> is taken to <c>/ws</c>.
    /// </summary>
    public static void UsePortRules(this WebApplication app, GatewayPorts ports) =>
        app.Use(next =>
            context =>
            {
                // By the port itself, not by the Host header: behind a tunnel or a port mapping the client names
                // another one.
                context.Request.Headers.Remove(GatewayRoutes.DoorHeader);
                if (context.Connection.LocalPort == ports.Ui || context.Connection.LocalPort == ports.Tls)
                    context.Request.Headers[GatewayRoutes.DoorHeader] = GatewayRoutes.UiDoor;
                if (
                    context.Connection.LocalPort == ports.Sockets
                    && ports.Sockets != ports.Ui
                    && context.Request.Path != "/alive"
                )
                {
                    var upgrade = context
                        .Request.Headers.Upgrade.ToString()
                        .Contains("websocket", StringComparison.OrdinalIgnoreCase);
                    if (!upgrade)
                        return Results
                            .Problem(
                                $"This port speaks WebSocket only; the API is on port {ports.Api}.",
                                statusCode: 426,
                                title: "Upgrade required"
                            )
                            .ExecuteAsync(context);
                    if (context.Request.Path == "/")
                        context.Request.Path = "/ws";
                }
                return next(context);
            }
        );
}
