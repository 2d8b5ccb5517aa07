namespace Galaxy.Coordinator.WebSockets;

/// <summary>The WebSocket endpoints: for devices, and for clients that watch the cluster's state.</summary>
internal static class SocketEndpoints
{
    public static void MapSockets(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .Map("/ws/device/{id}", (HttpContext context, string id, DeviceSocket socket) =>
                socket.AcceptAsync(context, id)
            )
            .AllowAnonymous()
            .ExcludeFromDescription();
        endpoints
            .Map("/ws", (HttpContext context, DeviceSocket socket) => socket.AcceptAsync(context, null))
            .AllowAnonymous()
            .ExcludeFromDescription();
        endpoints
            .Map("/ws/status", (HttpContext context, StatusSocket socket) => socket.AcceptAsync(context))
            .AllowAnonymous()
            .ExcludeFromDescription();
    }
}
