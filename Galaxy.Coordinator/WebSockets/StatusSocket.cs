using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Tasks;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.WebSockets;

/// <summary>
/// <c>/ws/status</c>: a client that subscribes gets <c>initial_status</c>, then what happens to devices, tasks and the
/// leadership; <c>ping</c> is answered.
/// </summary>
internal sealed class StatusSocket(
    SocketDoor door,
    DeviceHub hub,
    DeviceRegistry registry,
    TaskFeed tasks,
    ClusterFeed cluster,
    Elector elector,
    IHostApplicationLifetime lifetime,
    TimeProvider time
)
{
    private static readonly TimeSpan Silence = TimeSpan.FromHours(24);

    public async Task AcceptAsync(HttpContext context)
    {
        using var socket = await door.OpenAsync(context, AccessRole.Member);
        if (socket is null)
            return;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted,
            lifetime.ApplicationStopping
        );
        await using var session = new DeviceSession(socket, "", ends.Token);
        using var leaves = CancellationTokenSource.CreateLinkedTokenSource(ends.Token);
        var telling = Task.CompletedTask;
        try
        {
            var trusted = SocketDoor.HasShownKey(context);
            if (trusted)
                telling = TellAsync(session, leaves.Token);
            while (await session.ReceiveAsync(trusted ? Silence : SocketDoor.KeyPatience) is { } text)
            {
                using var message = DeviceMessage.Parse(text, out _);
                if (!trusted)
                {
                    if (message is null || !door.IsKey(message, AccessRole.Member))
                    {
                        session.Close("the cluster's key is needed");
                        break;
                    }
                    trusted = true;
                    telling = TellAsync(session, leaves.Token);
                }
                if (message?.Type == "ping")
                    session.Send(new JsonObject { ["type"] = "pong", ["timestamp"] = UnixSeconds });
                else if (message?.Type is not ("subscribe" or "authenticate"))
                    session.Send(new JsonObject { ["type"] = "error", ["message"] = "only 'ping' is understood here" });
            }
        }
        catch (Exception ended)
            when (ended is OperationCanceledException or WebSocketException or IOException or InvalidDataException)
        {
            // It left, or sent what cannot be read; there is nothing to keep of it.
        }
        finally
        {
            await leaves.CancelAsync();
            await telling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TellAsync(DeviceSession session, CancellationToken ends)
    {
        var news = Channel.CreateBounded<JsonObject>(
            new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropOldest }
        );
        Action<DeviceSession> joined = device => news.Writer.TryWrite(Device("device_status_update", device.DeviceId));
        Action<string> changed = id => news.Writer.TryWrite(Device("device_status_update", id));
        Action<string> gone = id => news.Writer.TryWrite(Device("device_disconnected", id));
        Action<Galaxy.Core.Election.LeaseRecord?> led = _ => news.Writer.TryWrite(Leader("leader_changed"));
        // Listen first, then tell how things are: nothing falls between.
        hub.Joined += joined;
        hub.Changed += changed;
        hub.Gone += gone;
        elector.LeaderChanged += led;
        using var subscription = tasks.Subscribe(_ => true);
        var working = PassOnAsync();
        try
        {
            session.Send(Initial());
            await foreach (var item in news.Reader.ReadAllAsync(ends))
                session.Send(item);
        }
        finally
        {
            hub.Joined -= joined;
            hub.Changed -= changed;
            hub.Gone -= gone;
            elector.LeaderChanged -= led;
            await working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task PassOnAsync()
        {
            await foreach (var task in subscription.ReadAllAsync(ends))
                news.Writer.TryWrite(Work(task));
        }
    }

    private JsonObject Initial()
    {
        var initial = Leader("initial_status");
        initial["devices"] = JsonSerializer.SerializeToNode(registry.List(), GalaxyJson.Options);
        initial["online"] = registry.List().Count(ClusterFeed.IsOnline);
        initial["cluster"] = JsonSerializer.SerializeToNode(cluster.Response(), GalaxyJson.Options);
        return initial;
    }

    private JsonObject Device(string type, string deviceId) =>
        new()
        {
            ["type"] = type,
            ["device_id"] = deviceId,
            ["status"] = type == "device_disconnected" ? "offline" : registry.Get(deviceId)?.State ?? "online",
            ["device"] = registry.Get(deviceId) is { } device
                ? JsonSerializer.SerializeToNode(device, GalaxyJson.Options)
                : null,
            ["timestamp"] = UnixSeconds,
        };

    private JsonObject Leader(string type) =>
        new()
        {
            ["type"] = type,
            ["leader"] = elector.Leader is { } lease
                ? new JsonObject
                {
                    ["node_id"] = lease.Holder,
                    ["token"] = lease.Token,
                    ["url"] = lease.Url,
                }
                : null,
            ["timestamp"] = UnixSeconds,
        };

    private JsonObject Work(TaskView task) =>
        new()
        {
            ["type"] = task.IsOver ? "task_finished" : "task_update",
            ["task_id"] = task.TaskId,
            ["request_id"] = TaskMessages.RequestIdOf(task),
            ["device_id"] = task.DeviceId,
            ["state"] = JsonNamingPolicy.SnakeCaseLower.ConvertName(task.State.ToString()),
            ["progress"] = task.Progress,
            ["result"] = task.Result is { } result ? JsonSerializer.SerializeToNode(result) : null,
            ["error"] = task.Error,
            ["timestamp"] = UnixSeconds,
        };

    private double UnixSeconds => time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
}
