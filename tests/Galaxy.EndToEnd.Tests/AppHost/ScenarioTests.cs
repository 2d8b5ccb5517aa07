using System.Net.Http.Headers;
using System.Net.Http.Json;
using Galaxy.Contracts.Api;
using Galaxy.LocalHosting;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.EndToEnd.Tests.AppHost;

/// <summary>The other two scenarios start, elect their first choice, and run a task.</summary>
[Collection("system")]
public sealed class ScenarioTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-scenario-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Theory]
    [InlineData("cloud", "coordinator-cloud", 1)]
    [InlineData("active-passive", "coordinator-local", 2)]
    public async Task A_scenario_elects_its_first_choice_and_runs_a_task(
        string scenario,
        string leads,
        int coordinators
    )
    {
        await using var host = await LocalCluster.StartAsync(
            ["--scenario", scenario, "--GALAXY_DATA", _data, .. RunningGalaxy.FreePorts],
            TimeSpan.FromSeconds(120)
        );
        using var http = new HttpClient { BaseAddress = host.Url("gateway", "api") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", host.Key);

        ClusterResponse? cluster = null;
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await http.GetAsync("/api/v1/cluster");
            cluster = answer.IsSuccessStatusCode
                ? await answer.Content.ReadFromJsonAsync<ClusterResponse>(GalaxyJson.Options)
                : null;
            return cluster is { Leader: not null, DevicesOnline: 2 } && cluster.Nodes.Count == coordinators;
        });
        Assert.Equal(leads, cluster!.Leader!.NodeId);

        using var submitted = await http.PostAsJsonAsync(
            "/api/v1/tasks",
            new { action = "echo", @params = new { text = scenario } }
        );
        var task = await submitted.Content.ReadFromJsonAsync<TaskView>(GalaxyJson.Options);
        await Eventually.TrueAsync(async () =>
            (await http.GetFromJsonAsync<TaskView>("/api/v1/tasks/" + task!.TaskId, GalaxyJson.Options))!.State
            == TaskState.Completed
        );
    }
}
