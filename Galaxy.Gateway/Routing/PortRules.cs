namespace Galaxy.Gateway.Routing;

/// <summary>What the three ports let through.</summary>
internal static class PortRules
{
    /// <summary>
    /// On the socket port anything but a WebSocket upgrade is refused, and a client configured with the bare
    /// <c>ws://host:8765</c> is taken to <c>/ws</c>.
    /// </summary>
    public static void UsePortRules(this WebApplication app, GatewayPorts ports) => app.Use(async (context, next) =>
    {
        if (context.Connection.LocalPort == ports.Sockets && ports.Sockets != ports.Ui && context.Request.Path != "/alive")
        {
            var upgrade = context.Request.Headers.Upgrade.ToString().Contains("websocket", StringComparison.OrdinalIgnoreCase);
            if (!upgrade)
            {
                await Results.Problem($"This port speaks WebSocket only; the API is on port {ports.Api}.", statusCode: 426, title: "Upgrade required").ExecuteAsync(context);
                return;
            }
            if (context.Request.Path == "/")
                context.Request.Path = "/ws";
        }
        await next(context);
    });
}
