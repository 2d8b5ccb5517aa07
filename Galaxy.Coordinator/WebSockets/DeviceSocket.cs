using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.RateLimiting;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Tasks;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.WebSockets;

/// <summary>
/// The device socket: <c>/ws/device/{id}</c> and <c>/ws</c>, in the JSON that existing phones and PCs speak and in the
/// acknowledged subprotocol <c>galaxy.v1</c> of our own worker.
/// </summary>
internal sealed partial class DeviceSocket(
    SocketDoor door,
    DeviceHub hub,
    DeviceRegistry registry,
    DeviceConfig configuration,
    ChatRelay chat,
    TaskEngine tasks,
    Elector elector,
    Identity identity,
    NodeOptions node,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<DeviceSocket> log
)
{
    private const int MessagesPerSecond = 20;
    private const int MessageBurst = 100;
    private const int MostRunning = 1000;

    /// <summary>A device that says nothing for that long is offline.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    /// <summary>The first message must come by then.</summary>
    private static readonly TimeSpan Introduction = TimeSpan.FromSeconds(10);

    public async Task AcceptAsync(HttpContext context, string? deviceId)
    {
        using var socket = await door.OpenAsync(context, AccessRole.Worker, deviceId);
        if (socket is null)
            return;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted,
            lifetime.ApplicationStopping
        );
        await using var session = new DeviceSession(socket, deviceId ?? "", ends.Token);
        using var leaves = CancellationTokenSource.CreateLinkedTokenSource(ends.Token);
        var configured = Task.CompletedTask;
        try
        {
            await ServeAsync(session, SocketDoor.HasShownKey(context), () =>
                configured = configuration.FollowAsync(session, leaves.Token)
            );
        }
        catch (Exception ended) when (ended is OperationCanceledException or WebSocketException or IOException)
        {
            LogEnded(session.DeviceId, ended.Message);
        }
        finally
        {
            hub.Remove(session);
            MarkOffline(session.DeviceId);
            await leaves.CancelAsync();
            await configured;
        }
    }

    /// <param name="onWorker">Called once, when a worker has introduced itself.</param>
    private async Task ServeAsync(DeviceSession session, bool trusted, Action onWorker)
    {
        var joined = false;
        if (trusted && session.DeviceId.Length > 0 && !session.IsAcknowledged)
        {
            // The address already names the device; old clients may send nothing until they are asked.
            Join(session, null);
            joined = true;
        }
        // A client that sends more is read more slowly. Galaxy's own workers only send what they were asked for.
        await using var pace = session.IsAcknowledged
            ? null
            : new TokenBucketRateLimiter(
                new TokenBucketRateLimiterOptions
                {
                    TokenLimit = MessageBurst,
                    TokensPerPeriod = MessagesPerSecond,
                    ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                    QueueLimit = 1,
                }
            );
        while (
            await ReceiveAsync(
                session,
                joined ? Silence
                    : trusted ? Introduction
                    : SocketDoor.KeyPatience
            )
                is { } text
        )
        {
            session.LastHeard = time.GetUtcNow();
            if (elector.CurrentToken is null)
            {
                // The message is for the leader, which has its own record of the device.
                session.Close("another node leads now: connect again");
                return;
            }
            if (pace is not null)
            {
                using var lease = await pace.AcquireAsync(1, session.Closing);
            }
            using var message = DeviceMessage.Parse(text, out var fault);
            if (message is null)
            {
                session.Send(Error(fault?.ToString() ?? "this is not a JSON object with a 'type'"));
                if (joined && fault is { } reason && DeviceMessage.RefusedResult(text) is var (taskId, attemptId))
                    tasks.Post(
                        new TaskEvent.Result(
                            session.DeviceId,
                            taskId,
                            attemptId,
                            Failed: true,
                            Output: default,
                            Error: TaskSize.Cut($"The result was refused: {reason}")
                        )
                    );
                continue;
            }
            if (!trusted && !(trusted = door.IsKey(message, AccessRole.Worker)))
            {
                session.Send(
                    Error(
                        "the cluster's key is needed: as 'Authorization: Bearer', as '?token=' in the "
                            + "address, or as 'token' in the first message"
                    )
                );
                session.Close("the cluster's key is needed");
                return;
            }
            bool introduced;
            try
            {
                introduced = Handle(session, message, joined);
            }
            catch (StateLimitException full)
            {
                session.Send(Error(full.Message));
                session.Close("the replicated state is full");
                return;
            }
            if (introduced && !joined && session.IsAcknowledged)
                onWorker();
            joined |= introduced;
        }
    }

    private static async Task<ReadOnlyMemory<byte>?> ReceiveAsync(DeviceSession session, TimeSpan patience)
    {
        try
        {
            return await session.ReceiveAsync(patience);
        }
        catch (InvalidDataException bad)
        {
            session.Send(Error(bad.Message));
            session.Close(bad.Message);
            return null;
        }
    }

    /// <summary>Returns true when the message introduced the device.</summary>
    private bool Handle(DeviceSession session, DeviceMessage message, bool joined)
    {
        var type = message.Type;
        if (type is "hello" or "handshake" or "register")
            return Introduce(session, message);
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
                Change(session, device =>
                    device with
                    {
                        State = KnownState(message["status"]) ?? device.State,
                        Load = Share(message.Number("load")),
                    }
                );
                break;
            case "credit" when message.Number("slots") is >= 0 and <= 1000 and var slots:
                Change(session, device => device with { Slots = (int)slots });
                break;
            case "progress":
                tasks.Post(
                    new TaskEvent.Progress(
                        session.DeviceId,
                        message["task_id"],
                        message["attempt_id"],
                        message.Number("progress") ?? 0
                    )
                );
                break;
            case var _ when DeviceMessage.IsResult(type):
                Result(session, message);
                break;
            case "chat":
                chat.Ask(session, message["message"], message["context"], message["request_id"], message["model"]);
                break;
            case "ping":
                session.Send(new JsonObject { ["type"] = "pong", ["timestamp"] = UnixSeconds });
                break;
            // A command may be answered by a message of any type that carries its id.
            case var _
                when !session.IsAcknowledged
                    && IdOf(message) is { Length: > 0 } id
                    && tasks.Find(id)?.DeviceId == session.DeviceId:
                Result(session, message);
                break;
            default:
                session.Send(Error($"the type '{type}' is not understood"));
                break;
        }
        return false;
    }

    private bool Introduce(DeviceSession session, DeviceMessage message)
    {
        var named =
            message["device_id"] is { Length: > 0 } id ? id
            : message.From is { Length: > 0 } from ? from
            : session.DeviceId;
        if (!DeviceRegistry.IsValidId(named) || (session.DeviceId.Length > 0 && named != session.DeviceId))
        {
            session.Send(Error($"device_id '{named}' is not valid here"));
            return false;
        }
        session.DeviceId = named;
        var known = registry.Get(named) ?? new DeviceView { DeviceId = named, DeviceName = named };
        session.Said = known with
        {
            DeviceName = message["device_name"] is { Length: > 0 } name ? name : known.DeviceName,
            DeviceType =
                message["device_type"] is { Length: > 0 } kind ? kind
                : message["platform"] is { Length: > 0 } platform ? platform
                : known.DeviceType,
            Capabilities = message.Array("capabilities") is { } list
                ? DeviceCapabilities.Read(list)
                : known.Capabilities,
            Slots = message.Number("slots") is >= 1 and <= 1000 and var slots ? (int)slots : known.Slots,
            AppVersion = message["version"] is { Length: > 0 } version ? version : known.AppVersion,
            Location = message["location"] is { Length: > 0 and <= 256 } location ? location : known.Location,
            Tags = message.Array("labels") is { } labels ? DeviceCapabilities.ReadTags(labels) : known.Tags,
            State = "online",
            HeldBy = identity.Boot,
            Protocol = session.IsAcknowledged ? DeviceSession.Subprotocol : "legacy",
            LastSeen = time.GetUtcNow(),
        };
        if (DeviceLimits.Complaint(session.Said) is { } complaint)
        {
            session.Said = null;
            session.Send(Error(complaint));
            session.Close("what the device says of itself cannot be taken");
            return false;
        }
        registry.Put(session.Said);
        session.Send(
            new JsonObject
            {
                ["type"] = message.Type switch
                {
                    "hello" => "welcome",
                    "register" => "register_ack",
                    _ => "handshake_ack",
                },
                ["device_id"] = named,
                ["node_id"] = node.NodeId,
                ["cluster"] = node.Cluster,
                ["token"] = elector.CurrentToken,
                ["timestamp"] = UnixSeconds,
            }
        );
        Join(
            session,
            message.Array("running") is { } attempts
                ?
                [
                    .. attempts
                        .EnumerateArray()
                        .Take(MostRunning)
                        .Where(one => one.ValueKind == JsonValueKind.String)
                        .Select(one => one.GetString()!),
                ]
                : null,
            alreadyRegistered: true
        );
        return true;
    }

    private void Join(DeviceSession session, IReadOnlyCollection<string>? running, bool alreadyRegistered = false)
    {
        if (!alreadyRegistered)
        {
            var known = registry.Get(session.DeviceId)
                ?? new DeviceView { DeviceId = session.DeviceId, DeviceName = session.DeviceId };
            session.Said = known with
            {
                State = "online",
                HeldBy = identity.Boot,
                Protocol = "legacy",
                LastSeen = time.GetUtcNow(),
            };
            registry.Put(session.Said);
        }
        hub.Add(session);
        tasks.Post(new TaskEvent.DeviceJoined(session, running));
    }

    private void Change(DeviceSession session, Func<DeviceView, DeviceView> change)
    {
        if (session.Said is { } said)
            session.Said = change(said) with { LastSeen = time.GetUtcNow() };
        registry.Update(session.DeviceId, device => change(device) with { LastSeen = time.GetUtcNow() });
        tasks.Post(new TaskEvent.DeviceChanged(session.DeviceId));
        hub.Tell(session.DeviceId);
    }

    private static string IdOf(DeviceMessage message) =>
        message["task_id"] is { Length: > 0 } id ? id : message["request_id"];

    private void Result(DeviceSession session, DeviceMessage message)
    {
        var status = message["status"];
        var error = message["error"];
        var failed = status is "failed" or "error" or "cancelled" || error.Length > 0;
        var output = message.Has("result") ? message.Raw("result") : message.Raw("output");
        tasks.Post(
            new TaskEvent.Result(
                session.DeviceId,
                IdOf(message),
                message["attempt_id"],
                failed,
                output,
                TaskSize.Cut(error.Length > 0 ? error : status)
            )
        );
    }

    private void MarkOffline(string deviceId)
    {
        // A node that no longer leads knows nothing of devices: they may be connected to the next leader.
        if (deviceId.Length > 0 && elector.CurrentToken is not null && hub.Find(deviceId) is null)
            registry.Update(deviceId, device =>
                device.HeldBy == identity.Boot
                    ? device with
                    {
                        State = "offline",
                        HeldBy = "",
                        LastSeen = time.GetUtcNow(),
                    }
                    : device
            );
    }

    private double UnixSeconds => time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    private static double? Share(double? load) => load is { } value ? Math.Clamp(value, 0, 1) : null;

    private static string? KnownState(string status) =>
        status is "online" or "busy" or "idle" or "error" or "maintenance" ? status : null;

    private static JsonObject Error(string text) => new() { ["type"] = "error", ["message"] = text };

    [LoggerMessage(Level = LogLevel.Debug, Message = "The socket of '{Device}' ended: {Reason}")]
    private partial void LogEnded(string device, string reason);
}
