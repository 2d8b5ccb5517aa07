extern alias apphost;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Galaxy.EndToEnd.Tests.AppHost;

/// <summary>The AppHost's own system on Aspire, with the dashboard, on free ports.</summary>
public sealed class AspireSystem : IAsyncLifetime
{
    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-aspire-").FullName;

    public DistributedApplication App { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public ResourceNotificationService Notifications => App.ResourceNotifications;

    /// <summary>A link that signs in to the dashboard.</summary>
    public Uri Dashboard => new(Snapshot("aspire-dashboard").Urls.First(url => url.Name == "http").Url);

    public IReadOnlyList<string> Names { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync(
            typeof(apphost::Projects.Galaxy_AppHost),
            ["--GALAXY_DATA", _data, "--ports", "any", "--NODE71_BROADCAST_PORT", "47021"],
            (options, _) => options.DisableDashboard = false
        );
        // The logs of the resources are in the dashboard.
        builder.Services.AddLogging(logging => logging.AddFilter("Galaxy.AppHost.Resources", LogLevel.None));
        App = await builder.BuildAsync();
        await App.StartAsync();
        Names =
        [
            .. App
                .Services.GetRequiredService<DistributedApplicationModel>()
                .Resources.OfType<ExecutableResource>()
                .Select(resource => resource.Name)
                .Where(name => name != "aspire-dashboard"),
        ];
        await Task.WhenAll(Names.Select(name => HealthyAsync(name, seconds: 120)));
        Http = new HttpClient { BaseAddress = App.GetEndpoint("gateway", "api"), Timeout = TimeSpan.FromSeconds(30) };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            await File.ReadAllTextAsync(Path.Combine(_data, "api-key")) is var key ? key.Trim() : ""
        );
        await Eventually.TrueAsync(async () => await ClusterAsync() is { Leader: not null, DevicesOnline: 2 });
    }

    /// <summary>
    /// Waits until everything is healthy, a coordinator leads, and all coordinators know each other alive.
    /// </summary>
    public async Task SettledAsync()
    {
        try
        {
            await Task.WhenAll(Names.Select(name => HealthyAsync(name, seconds: 60)));
            await Eventually.TrueAsync(
                async () =>
                    await ClusterAsync() is { Leader: not null, DevicesOnline: 2 } cluster
                    && cluster.Nodes.Count(node => node.State == "alive") == 3,
                seconds: 60
            );
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException(await DescribeAsync(), failure);
        }
    }

    /// <summary>
    /// What the cluster says of itself, what Aspire says of the processes, and the last that they said.
    /// </summary>
    private async Task<string> DescribeAsync()
    {
        const int LastLines = 25;
        var text = new StringBuilder("The system did not settle.\n");
        using (var answer = await Http.GetAsync("/api/v1/cluster"))
            text.AppendLine(await answer.Content.ReadAsStringAsync());
        var logs = App.Services.GetRequiredService<ResourceLoggerService>();
        var resources = App.Services.GetRequiredService<DistributedApplicationModel>().Resources;
        foreach (var name in Names)
        {
            var snapshot = Snapshot(name);
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"{name}: {snapshot.State?.Text}, {snapshot.HealthStatus}, process {ProcessId(name)}"
            );
            var lines = new List<LogLine>();
            await foreach (var batch in logs.GetAllAsync(resources.First(resource => resource.Name == name)))
                lines.AddRange(batch);
            foreach (var line in lines.TakeLast(LastLines))
                text.AppendLine(CultureInfo.InvariantCulture, $"    {line.Content}");
        }
        return text.ToString();
    }

    public Task HealthyAsync(string name, int seconds) =>
        Notifications.WaitForResourceHealthyAsync(name).WaitAsync(TimeSpan.FromSeconds(seconds));

    public async Task<ClusterResponse?> ClusterAsync()
    {
        using var answer = await Http.GetAsync("/api/v1/cluster");
        return answer.IsSuccessStatusCode
            ? await answer.Content.ReadFromJsonAsync<ClusterResponse>(GalaxyJson.Options)
            : null;
    }

    public async Task<LeaderResponse> LeaderAsync() =>
        (await Eventually.NotNullAsync(async () => (await ClusterAsync())?.Leader))!;

    public CustomResourceSnapshot Snapshot(string name) =>
        Notifications.TryGetCurrentState(name, out var current)
            ? current.Snapshot
            : throw new InvalidOperationException($"'{name}' has no state.");

    /// <summary>Null while it does not run.</summary>
    public int? ProcessId(string name) =>
        Snapshot(name) is { State.Text: "Running" } snapshot
            ? Convert.ToInt32(
                snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value,
                CultureInfo.InvariantCulture
            )
            : null;

    public Task<ExecuteCommandResult> CommandAsync(string name, string command) =>
        App.Services.GetRequiredService<ResourceCommandService>().ExecuteCommandAsync(name, command);

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        if (App is not null)
            await App.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }
}
