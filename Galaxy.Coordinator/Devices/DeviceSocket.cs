using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Election;
using Galaxy.Coordinator.Tasks;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Devices;

/// <summary>
/// The device socket: <c>/ws/device/{id}</c> and <c>/ws</c>, in the JSON that existing phones and PCs speak and in the
/// acknowledged subprotocol <c>galaxy.v1</c> of our own worker.
/// </summary>
internal sealed partial class DeviceSocket(
    DeviceHub hub, DeviceRegistry registry, DeviceConfig configuration, TaskEngine tasks, Elector elector, Identity identity, NodeOptions node,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<DeviceSocket> log)
{
    public const string Subprotocol = "galaxy.v1";

    /// <summary>A device that says nothing for that long is offline.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    /// <summary>The first message must come by then.</summary>
    private static readonly TimeSpan Introduction = TimeSpan.FromSeconds(10);

    public async Task AcceptAsync(HttpContext context, string? deviceId)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await Results.Problem("This address speaks WebSocket: connect with ws:// or wss://.", statusCode: 400).ExecuteAsync(context);
            return;
        }
        if (deviceId is not null && !DeviceRegistry.IsValidId(deviceId))
        {
            await Results.Problem("The device id may have letters, digits, '-', '_', '.' and ':', at most 128.", statusCode: 400).ExecuteAsync(context);
            return;
        }
        if (elector.CurrentToken is null)
        {
            await LeaderOnly.Refuse(context, elector).ExecuteAsync(context);
            return;
        }
        var protocol = context.WebSockets.WebSocketRequestedProtocols.Contains(Subprotocol) ? Subprotocol : null;
        using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            SubProtocol = protocol,
            KeepAliveInterval = TimeSpan.FromSeconds(15),
        });
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        await using var session = new DeviceSession(socket, deviceId ?? "", ends.Token);
        var configured = Task.CompletedTask;
        try
        {
            await ServeAsync(session, () => configured = configuration.FollowAsync(session, ends.Token));
        }
        catch (Exception ended) when (ended is OperationCanceledException or WebSocketException or IOException)
        {
            LogEnded(session.DeviceId, ended.Message);
        }
        finally
        {
            hub.Remove(session);
            MarkOffline(session.DeviceId);
            await ends.CancelAsync();
            await configured;
        }
    }

    /// <param name="onWorker">Called once, when a worker has introduced itself.</param>
    private async Task ServeAsync(DeviceSession session, Action onWorker)
    {
        var joined = false;
        if (session.DeviceId.Length > 0 && !session.IsAcknowledged)
        {
            // The address already says who it is; old clients may send nothing until they are asked.
            Join(session, []);
            joined = true;
        }
        while (true)
        {
            string? text;
            try
            {
                text = await session.ReceiveAsync(joined ? Silence : Introduction);
            }
            catch (InvalidDataException bad)
            {
                session.Send(Error(bad.Message));
                session.Close(bad.Message);
                return;
            }
            if (text is null)
                return;
            if (Parse(text) is not { } message)
            {
                session.Send(Error("this is not a JSON object with a 'type'"));
                continue;
            }
            var introduced = Handle(session, message, joined);
            if (introduced && !joined && session.IsAcknowledged)
                onWorker();
            joined |= introduced;
        }
    }

    private static JsonObject? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = 32 }) is JsonObject message && Text(message, "type").Length > 0
                ? message
                : null;
        }
        catch (Exception bad) when (bad is JsonException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Returns true when the message introduced the device.</summary>
    private bool Handle(DeviceSession session, JsonObject message, bool joined)
    {
        var type = Text(message, "type");
        // The AIP/1.0 envelope carries the same fields one level down.
        var body = message["payload"] as JsonObject ?? message;
        if (type is "hello" or "handshake" or "register")
            return Introduce(session, type, message, body);
        if (!joined)
        {
            session.Send(Error("introduce yourself first: send 'handshake' with a 'device_id'"));
            return false;
        }
        switch (type)
        {
            case "heartbeat":
                session.Send(new JsonObject { ["type"] = "heartbeat_ack", ["timestamp"] = UnixSeconds });
                registry.Update(session.DeviceId, device => device with { LastSeen = time.GetUtcNow() });
                break;
            case "status_update":
                registry.Update(session.DeviceId, device => device with { State = KnownState(Text(body, "status")) ?? device.State, LastSeen = time.GetUtcNow() });
                break;
            case "progress":
                tasks.Post(new TaskEvent.Progress(session.DeviceId, Text(body, "task_id"), Text(body, "attempt_id"), Number(body, "progress")));
                break;
            case "task_result" or "command_result" or "result":
                Result(session, body);
                break;
            default:
                session.Send(Error($"the type '{type}' is not understood"));
                break;
        }
        return false;
    }

    private bool Introduce(DeviceSession session, string type, JsonObject message, JsonObject body)
    {
        var named = Text(body, "device_id") is { Length: > 0 } id ? id : Text(message, "from") is { Length: > 0 } from ? from : session.DeviceId;
        if (!DeviceRegistry.IsValidId(named) || (session.DeviceId.Length > 0 && named != session.DeviceId))
        {
            session.Send(Error($"device_id '{named}' is not valid here"));
            return false;
        }
        session.DeviceId = named;
        var known = registry.Get(named) ?? new DeviceView { DeviceId = named, DeviceName = named };
        registry.Put(known with
        {
            DeviceName = Text(body, "device_name") is { Length: > 0 } name ? name : known.DeviceName,
            DeviceType = Text(body, "device_type") is { Length: > 0 } kind ? kind : Text(body, "platform") is { Length: > 0 } platform ? platform : known.DeviceType,
            Capabilities = body["capabilities"] is JsonArray list ? DeviceApi.ReadCapabilities(list) : known.Capabilities,
            Slots = Number(body, "slots") is >= 1 and <= 1000 and var slots ? (int)slots : known.Slots,
            AppVersion = Text(body, "version") is { Length: > 0 } version ? version : known.AppVersion,
            State = "online",
            HeldBy = identity.Boot,
            Protocol = session.IsAcknowledged ? Subprotocol : "legacy",
            LastSeen = time.GetUtcNow(),
        });
        session.Send(new JsonObject
        {
            ["type"] = type switch { "hello" => "welcome", "register" => "register_ack", _ => "handshake_ack" },
            ["device_id"] = named,
            ["node_id"] = node.NodeId,
            ["cluster"] = node.Cluster,
            ["token"] = elector.CurrentToken,
            ["timestamp"] = UnixSeconds,
        });
        var running = body["running"] is JsonArray attempts ? attempts.Select(a => a?.ToString() ?? "").Where(a => a.Length > 0).Take(1000).ToList() : [];
        Join(session, running, alreadyRegistered: true);
        return true;
    }

    private void Join(DeviceSession session, IReadOnlyCollection<string> running, bool alreadyRegistered = false)
    {
        if (!alreadyRegistered)
        {
            var known = registry.Get(session.DeviceId) ?? new DeviceView { DeviceId = session.DeviceId, DeviceName = session.DeviceId };
            registry.Put(known with { State = "online", HeldBy = identity.Boot, Protocol = "legacy", LastSeen = time.GetUtcNow() });
        }
        hub.Add(session);
        tasks.Post(new TaskEvent.DeviceJoined(session, running));
    }

    private void Result(DeviceSession session, JsonObject body)
    {
        var status = Text(body, "status");
        var error = Text(body, "error");
        var failed = status is "failed" or "error" || error.Length > 0;
        var taskId = Text(body, "task_id") is { Length: > 0 } id ? id : Text(body, "request_id");
        tasks.Post(new TaskEvent.Result(
            session.DeviceId, taskId, Text(body, "attempt_id"), failed, (body["result"] ?? body["output"])?.DeepClone(), error.Length > 0 ? error : status));
    }

    private void MarkOffline(string deviceId)
    {
        if (deviceId.Length > 0 && hub.Find(deviceId) is null)
            registry.Update(deviceId, device => device.HeldBy == identity.Boot ? device with { State = "offline", HeldBy = "", LastSeen = time.GetUtcNow() } : device);
    }

    private double UnixSeconds => time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    private static string? KnownState(string status) =>
        status is "online" or "busy" or "idle" or "error" or "maintenance" ? status : null;

    private static JsonObject Error(string text) => new() { ["type"] = "error", ["message"] = text };

    private static string Text(JsonObject message, string name) =>
        message[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    private static double Number(JsonObject message, string name) =>
        message[name] is JsonValue value && value.TryGetValue<double>(out var number) ? number : 0;

    [LoggerMessage(Level = LogLevel.Debug, Message = "The socket of '{Device}' ended: {Reason}")]
    private partial void LogEnded(string device, string reason);
}
