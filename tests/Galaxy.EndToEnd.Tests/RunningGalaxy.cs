using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.LocalHosting;
using Galaxy.LocalHosting.Supervision;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.EndToEnd.Tests;

/// <summary>AppHost's whole system on free ports with data of its own, and a client that is signed in.</summary>
public class RunningGalaxy : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-e2e-").FullName;

    private static readonly string[] Coordinators = ["coordinator-a", "coordinator-b", "coordinator-c"];

    public static readonly string[] FreePorts =
    [
        "--WEB_UI_PORT",
        "0",
        "--API_PORT",
        "0",
        "--WEBSOCKET_PORT",
        "0",
        "--OTLP_GRPC_PORT",
        "0",
        "--OTLP_HTTP_PORT",
        "0",
        "--NODE71_BROADCAST_PORT",
        "47021",
    ];

    public LocalCluster Host { get; private set; } = null!;

    /// <summary>The folder that holds what the system keeps.</summary>
    public string Data => _data;

    public HttpClient Http { get; private set; } = null!;

    public string Key { get; private set; } = "";

    /// <summary>A link to the console that signs in once; another one each time.</summary>
    public string SignInPath => "/sign-in/link?code=" + SignInLink.Mint(Key, DateTimeOffset.UtcNow);

    protected virtual string[] Options => [];

    /// <summary>
    /// Programs of the version before, from which an upgrade is rehearsed (<c>tests/rolling-upgrade.sh</c>); null:
    /// none.
    /// </summary>
    public static string? Before { get; } =
        Environment.GetEnvironmentVariable("GALAXY_UPGRADE_FROM") is { Length: > 0 } folder ? folder : null;

    protected virtual int Workers => 2;

    /// <summary>Puts something into the data folder before the system starts.</summary>
    protected virtual void Prepare() { }

    public async ValueTask InitializeAsync()
    {
        Prepare();
        Host = await LocalCluster.StartAsync(
            [
                "--GALAXY_DATA",
                _data,
                .. FreePorts,
                .. Options,
                .. Before is null ? Array.Empty<string>() : ["--programs", Before],
            ],
            Patience
        );
        Key = Host.Key;
        // Longer than the gateway holds a request for the next leader.
        Http = new HttpClient { BaseAddress = Host.Url("gateway", "api"), Timeout = TimeSpan.FromSeconds(30) };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        await Eventually.TrueAsync(async () =>
            await ClusterAsync() is { Leader: not null } cluster && cluster.DevicesOnline == Workers
        );
    }

    /// <summary>A signed-in client of one service, past the gateway.</summary>
    public HttpClient Client(string service)
    {
        var client = new HttpClient { BaseAddress = Host.Url(service, "http"), Timeout = TimeSpan.FromSeconds(5) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        if (Host is not null)
        {
            await KeepLogsAsync();
            await Host.DisposeAsync();
        }
        Directory.Delete(_data, recursive: true);
        GC.SuppressFinalize(this);
    }

    // For whoever looks into a failure: what every process said.
    private async Task KeepLogsAsync()
    {
        var folder = Directory.CreateDirectory(
            Path.Combine(AppContext.BaseDirectory, "TestResults", "logs", Path.GetFileName(_data))
        );
        foreach (var name in Host.Names)
        {
            var head = $"{Host.State(name)}, process {Host.ProcessId(name)}, restarted {Host.Restarts(name)} times";
            await File.WriteAllLinesAsync(
                Path.Combine(folder.FullName, name + ".log"),
                Host.Output(name).Prepend(head)
            );
        }
    }

    /// <summary>Null while the gateway has nobody to ask.</summary>
    public async Task<ClusterResponse?> ClusterAsync()
    {
        using var answer = await Http.GetAsync("/api/v1/cluster");
        return answer.IsSuccessStatusCode
            ? await answer.Content.ReadFromJsonAsync<ClusterResponse>(GalaxyJson.Options)
            : null;
    }

    /// <summary>
    /// Waits until every process is healthy, somebody leads, all coordinators know each other alive, and the workers
    /// are there.
    /// </summary>
    public Task SettledAsync() =>
        Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    return Host.Names.All(name => Host.State(name) == ProcessState.Healthy)
                        && await ClusterAsync() is { Leader: not null } cluster
                        && cluster.DevicesOnline >= Workers
                        && cluster.Nodes.Count(node => node.State == "alive") == Coordinators.Length;
                }
                catch (HttpRequestException)
                {
                    // The gateway itself is restarting.
                    return false;
                }
            },
            seconds: 60
        );

    /// <summary>
    /// Waits until another gateway of this system answers, from the cluster as well as from the services behind it.
    /// </summary>
    public Task AnswersAsync(Uri gateway) =>
        Eventually.TrueAsync(
            async () =>
            {
                using var http = new HttpClient { BaseAddress = gateway, Timeout = TimeSpan.FromSeconds(5) };
                http.DefaultRequestHeaders.Authorization = Http.DefaultRequestHeaders.Authorization;
                try
                {
                    return (
                        await Task.WhenAll(
                            new[] { "/api/v1/cluster", "/v1/models", "/nodes" }.Select(path => http.GetAsync(path))
                        )
                    ).All(answer => answer.IsSuccessStatusCode);
                }
                catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
                {
                    return false;
                }
            },
            seconds: 90
        );

    /// <summary>The failover status as the leader itself tells it; null while there is none.</summary>
    public async Task<FailoverStatus?> LeaderStatusAsync()
    {
        var leader = await LeaderAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(new Uri(leader.Url), "/api/v1/failover"));
        using var answer = await Http.SendAsync(request);
        return answer.IsSuccessStatusCode
            ? await answer.Content.ReadFromJsonAsync<FailoverStatus>(GalaxyJson.Options)
            : null;
    }

    public async Task<LeaderResponse> LeaderAsync() =>
        (await Eventually.NotNullAsync(async () => (await ClusterAsync())?.Leader))!;

    /// <summary>Submits until it is accepted: a 503 says that nothing was done.</summary>
    public async Task<string> SubmitAsync(object task)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            using var answer = await Http.PostAsJsonAsync("/api/v1/tasks", task);
            if (answer.StatusCode == HttpStatusCode.Created)
                return (await answer.Content.ReadFromJsonAsync<JsonNode>())!["task_id"]!.GetValue<string>();
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, "no leader took the task");
            await Task.Delay(50);
        }
    }

    public async Task<TaskView> FinishedAsync(string taskId)
    {
        TaskView? task = null;
        try
        {
            await Eventually.TrueAsync(async () =>
            {
                using var answer = await Http.GetAsync("/api/v1/tasks/" + taskId);
                task = answer.IsSuccessStatusCode
                    ? await answer.Content.ReadFromJsonAsync<TaskView>(GalaxyJson.Options)
                    : task;
                return task is { IsOver: true };
            });
            return task!;
        }
        catch (Xunit.Sdk.TrueException)
        {
            var said = Coordinators.SelectMany(name =>
                Host.Output(name).TakeLast(15).Select(line => $"{name}: {line}")
            );
            Assert.Fail($"The task is {task}\n{string.Join('\n', said)}");
            throw;
        }
    }
}

/// <summary>The same on Debian's redis-server.</summary>
public sealed class GalaxyOnRedisServer : RunningGalaxy
{
    protected override string[] Options => ["--redis", "server"];
}
