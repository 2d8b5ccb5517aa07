using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Galaxy.Coordinator.Devices;
using Galaxy.Coordinator.Failover;
using Galaxy.Coordinator.Hosting;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Election;
using Galaxy.Core.Membership;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using Microsoft.AspNetCore.Http.Features;

namespace Galaxy.Coordinator.Rehearsal;

/// <summary>
/// A whole second coordinator in this process: the real code on ports, keys and a cluster name of its own, with a
/// leader that is dead before it starts. It proves that death, takes the lease away, runs a task on a device, hands
/// over and is gone.
/// </summary>
internal sealed class ShadowCoordinator : IAsyncDisposable
{
    private const string Ghost = "ghost";
    private const string Device = "rehearsal";
    private const int Tasks = 5;
    private static readonly TimeSpan GhostLease = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan HttpPatience = TimeSpan.FromSeconds(100);

    private readonly WebApplication _app;
    private readonly RedisStores _stores;
    private readonly NodeOptions _node;
    private readonly Identity _identity;

    private ShadowCoordinator(WebApplication app, RedisStores stores, NodeOptions node)
    {
        (_app, _stores, _node) = (app, stores, node);
        _identity = app.Services.GetRequiredService<Identity>();
    }

    private Elector Elector => _app.Services.GetRequiredService<Elector>();

    private TimeProvider Time => _app.Services.GetRequiredService<TimeProvider>();

    public static async Task<ShadowCoordinator> StartAsync(
        RedisStores stores,
        NodeOptions real,
        CancellationToken cancellation
    )
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRoutingCore();
        builder.AddServiceDefaults(serviceName: null);
        // Its log would read as if this node led.
        builder.Logging.ClearProviders();
        var (http, grpc, nobody) = (FreePort(), FreePort(), FreePort());
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?> { ["HTTP_PORT"] = $"{http}", ["GRPC_PORT"] = $"{grpc}" }
        );
        var node = real with
        {
            Cluster = $"rehearsal-{Guid.NewGuid():N}",
            Bind = "127.0.0.1",
            Advertise = null,
            Seeds = [],
            FailoverPrimary = null,
            FailoverSecondaries = [],
            DataFolder = Directory.CreateTempSubdirectory("galaxy-rehearsal-").FullName,
        };
        builder.Services.AddSingleton(node);
        builder.AddCoordinator(node, stores);
        var app = builder.Build();
        app.Use(
            (context, next) =>
            {
                if (context.Features.Get<IHttpMetricsTagsFeature>() is { } metrics)
                    metrics.MetricsDisabled = true;
                return next(context);
            }
        );
        app.UseCoordinator();
        var shadow = new ShadowCoordinator(app, stores, node);
        try
        {
            await shadow.HauntAsync(nobody);
            await app.StartAsync(cancellation);
            return shadow;
        }
        catch
        {
            await shadow.DisposeAsync();
            throw;
        }
    }

    // Adds the dead leader: it holds the lease, but no process listens at its address. Also adds a witness of its
    // death, at this node's address.
    private async Task HauntAsync(int port)
    {
        var url = $"http://127.0.0.1:{port}";
        var ghost = new Member(Ghost, Ghost, 1, MemberState.Alive, "coordinator", url, url, 1, "", 0);
        var witness = ghost with { NodeId = "witness", Url = _identity.Url, GrpcUrl = _identity.GrpcUrl };
        _app.Services.GetRequiredService<Membership>().Merge([new Claim(ghost), new Claim(witness)]);
        var lease = new LeaseRecord(Ghost, Ghost, 0, url, "", Time.GetUtcNow().ToUnixTimeMilliseconds());
        await _app.Services.GetRequiredService<LeaseStore>().AcquireAsync(lease, null, 0, GhostLease, () => { });
    }

    /// <summary>Returns when it leads.</summary>
    public async Task TakeOverAsync(CancellationToken cancellation)
    {
        while (Elector.CurrentToken is null)
            await Task.Delay(Glance, Time, cancellation);
    }

    /// <summary>Tasks through the API to a device on a socket, then everything that ends a term.</summary>
    public async Task ServeAsync(CancellationToken cancellation)
    {
        using var http = InternalHttp.CreateClient(HttpPatience, new Uri(_identity.Url));
        using var socket = InternalHttp.CreateWebSocket();
        if (_node.ApiKey is { } key)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            socket.Options.SetRequestHeader("Authorization", $"Bearer {key}");
        }
        socket.Options.AddSubProtocol(DeviceSession.Subprotocol);
        await socket.ConnectAsync(
            new Uri($"{_identity.Url.Replace("http:", "ws:", StringComparison.Ordinal)}/ws/device/{Device}"),
            cancellation
        );
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var device = PlayDeviceAsync(socket, ends.Token);
        for (var i = 0; i < Tasks; i++)
        {
            using var answer = await http.PostAsJsonAsync(
                "/api/v1/tasks",
                new JsonObject { ["action"] = "echo", ["target_device"] = Device },
                cancellation
            );
            answer.EnsureSuccessStatusCode();
            var task = await answer.Content.ReadFromJsonAsync<JsonObject>(cancellation);
            while ((string?)task!["state"] is not ("completed" or "failed"))
            {
                await Task.Delay(Glance, Time, cancellation);
                task = await http.GetFromJsonAsync<JsonObject>($"/api/v1/tasks/{task["task_id"]}", cancellation);
            }
        }
        await http.GetStringAsync("/api/v1/cluster", cancellation);
        // To itself, so that it also takes the lease as a successor does.
        await _app.Services.GetRequiredService<Handover>().RunAsync(_node.NodeId, "manual", cancellation);
        await TakeOverAsync(cancellation);
        // And to the witness, as a person asks for it; that is the end of its term.
        using (await http.PostAsJsonAsync("/api/v1/failover", new JsonObject(), cancellation)) { }
        await ends.CancelAsync();
        await device;
    }

    private static async Task PlayDeviceAsync(ClientWebSocket socket, CancellationToken cancellation)
    {
        try
        {
            await SendAsync(
                new JsonObject
                {
                    ["type"] = "hello",
                    ["device_id"] = Device,
                    ["capabilities"] = new JsonArray(Device),
                }
            );
            var buffer = new byte[64 * 1024];
            while (true)
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(), cancellation);
                if (received.MessageType == WebSocketMessageType.Close)
                    return;
                if (
                    JsonNode.Parse(buffer.AsSpan(0, received.Count)) is not JsonObject { } message
                    || (string?)message["type"] is not "task"
                )
                    continue;
                await SendAsync(
                    new JsonObject
                    {
                        ["type"] = "task_result",
                        ["task_id"] = (string?)message["task_id"],
                        ["attempt_id"] = (string?)message["attempt_id"],
                        ["status"] = "completed",
                        ["result"] = new JsonObject(),
                    }
                );
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or WebSocketException)
        {
            // The rehearsal is over.
        }

        async Task SendAsync(JsonObject message) =>
            await socket.SendAsync(
                System.Text.Encoding.UTF8.GetBytes(message.ToJsonString()),
                WebSocketMessageType.Text,
                true,
                cancellation
            );
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        Directory.Delete(_node.DataFolder, recursive: true);
        foreach (var store in _stores.All.Where(store => store.IsConnected))
        {
            foreach (var server in store.GetServers())
            {
                await foreach (var key in server.KeysAsync(pattern: new StoreKeys(_node.Cluster)["*"]))
                    await store.GetDatabase().KeyDeleteAsync(key);
            }
        }
    }
}
