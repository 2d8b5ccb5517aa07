using System.Net.WebSockets;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Http;
using Galaxy.Coordinator.Leadership;
using Galaxy.ServiceDefaults.Authentication;
using Microsoft.AspNetCore.Authentication;

namespace Galaxy.Coordinator.WebSockets;

/// <summary>
/// Lets WebSockets in: on the leader only, and with a key, in a header, in the address, or in the first message.
/// </summary>
internal sealed class SocketDoor(Elector elector, CallerIdentifier callers)
{
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    /// <summary>A client that has not shown its key within this time is disconnected.</summary>
    public static readonly TimeSpan KeyPatience = TimeSpan.FromSeconds(5);

    /// <summary>Null: the request was answered otherwise.</summary>
    /// <param name="needed">The role required of a client that shows a key before the first message.</param>
    /// <param name="deviceId">The device that the address names; null: it names none.</param>
    public async Task<WebSocket?> OpenAsync(HttpContext context, AccessRole needed, string? deviceId = null)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await Results
                .Problem("This address speaks WebSocket: connect with ws:// or wss://.", statusCode: 400)
                .ExecuteAsync(context);
            return null;
        }
        if (deviceId is not null && !DeviceRegistry.IsValidId(deviceId))
        {
            await Results
                .Problem("The device id may have letters, digits, '-', '_', '.' and ':', at most 128.", statusCode: 400)
                .ExecuteAsync(context);
            return null;
        }
        if (!HasShownKey(context) && CallerIdentifier.IsPresented(context.Request))
        {
            await context.ChallengeAsync();
            return null;
        }
        if (HasShownKey(context) && !Principals.RoleOf(context.User).May(needed))
        {
            await Results
                .Problem(
                    $"'{context.User.Identity!.Name}' has the role "
                        + $"{Principals.RoleOf(context.User).Name()}; this needs {needed.Name()}.",
                    statusCode: 403
                )
                .ExecuteAsync(context);
            return null;
        }
        if (elector.CurrentToken is null)
        {
            await LeaderOnly.Refuse(context, elector).ExecuteAsync(context);
            return null;
        }
        return await context.WebSockets.AcceptWebSocketAsync(
            new WebSocketAcceptContext
            {
                SubProtocol = context.WebSockets.WebSocketRequestedProtocols.Contains(DeviceSession.Subprotocol)
                    ? DeviceSession.Subprotocol
                    : null,
                KeepAliveInterval = KeepAlive,
            }
        );
    }

    public static bool HasShownKey(HttpContext context) => context.User.Identity?.IsAuthenticated == true;

    /// <summary>In a first message: <c>token</c>, or <c>api_key</c>.</summary>
    public bool IsKey(DeviceMessage message, AccessRole needed) =>
        callers.Identify(message["token"] is { Length: > 0 } token ? token : message["api_key"]).May(needed);
}
