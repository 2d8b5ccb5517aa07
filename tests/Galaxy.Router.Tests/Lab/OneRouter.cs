using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Cluster;
using Galaxy.Router.Health;
using Galaxy.Router.Invocation;
using Galaxy.Router.Registration;
using Galaxy.Router.Routing;
using Galaxy.Router.Tools;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.Router.Tests.Lab;

/// <summary>
/// A router that watches one coordinator, on a clock that the test moves. It asks nobody for a key, and checks
/// nobody's health by itself.
/// </summary>
internal sealed class OneRouter : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly WebApplication _app;

    private OneRouter(OneCoordinator coordinator)
    {
        Coordinator = coordinator;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration["GALAXY_COORDINATORS"] = coordinator.GrpcUrl;
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton(new NodeOptions { NodeId = "router", ApiKey = "a-key-of-the-whole-cluster" });
        builder.Services.AddSingleton<TimeProvider>(Time);
        builder.Services.AddSingleton<ServiceTokens>();
        builder.Services.AddSingleton<CoordinatorChannels>();
        builder.Services.AddSingleton<ClusterWatcher>();
        builder.Services.AddProblemDetails();
        builder.Services.ConfigureHttpJsonOptions(json => GalaxyJson.Configure(json.SerializerOptions));
        builder.Services.AddRouter();
        builder.Services.RemoveAll<IHostedService>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<ClusterWatcher>());
        builder.Services.AddHostedService(provider => provider.GetRequiredService<RouterTable>());
        _app = builder.Build();
        _app.MapRouteApi();
        _app.MapRegistrationApi();
        _app.MapHealthApi();
        _app.MapInvokeApi();
        _app.MapToolApi();
    }

    public OneCoordinator Coordinator { get; }

    /// <summary>Begins now: deadlines of gRPC are times of this machine's clock.</summary>
    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    public HttpClient Http { get; private set; } = null!;

    public RouterTable Table => Get<RouterTable>();

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>A router that knows these services.</summary>
    public static async Task<OneRouter> StartAsync(params Service[] services)
    {
        var router = new OneRouter(await OneCoordinator.StartAsync());
        router.Coordinator.Say(snapshot => snapshot.Services.AddRange(services));
        await router._app.StartAsync();
        router.Http = InternalHttp.CreateClient(Patience, new Uri(router._app.Urls.Single()));
        await router.UntilAsync(table =>
            table.ById.ContainsKey("c1") && services.All(service => table.ById.ContainsKey(service.Id))
        );
        return router;
    }

    /// <summary>Tells the router of another cluster, and returns when its table is of it.</summary>
    public async Task SayAsync(Action<Snapshot> add, Func<Core.Routing.RoutingTable, bool> until)
    {
        Coordinator.Say(add);
        await UntilAsync(until);
    }

    public async Task UntilAsync(Func<Core.Routing.RoutingTable, bool> condition)
    {
        while (true)
        {
            var next = Table.NextTable;
            if (condition(Table.Current.Table))
                return;
            await next.WaitAsync(Patience);
        }
    }

    public async Task<(HttpStatusCode Status, JsonNode? Body)> GetAsync(string path)
    {
        using var answer = await Http.GetAsync(new Uri(path, UriKind.Relative));
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonNode>());
    }

    public async Task<(HttpStatusCode Status, JsonNode? Body)> PostAsync(string path, object body)
    {
        using var answer = await Http.PostAsJsonAsync(new Uri(path, UriKind.Relative), body);
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonNode>());
    }

    /// <summary>Moves the clock until it is done.</summary>
    public async Task<T> MoveUntilAsync<T>(Task<T> done, TimeSpan step)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (await Task.WhenAny(done, Task.Delay(5, patience.Token)) != done)
        {
            patience.Token.ThrowIfCancellationRequested();
            Time.Advance(step);
        }
        return await done;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        await Coordinator.DisposeAsync();
    }
}
