using System.Net.Http.Json;
using System.Text.Json;

namespace Galaxy.Hosts.Tests.Tasks;

/// <summary>A worker on a host of its own whose cable is out for half a minute.</summary>
public class LostNetworkTests(Segment segment)
{
    [Fact]
    public async Task A_worker_that_loses_its_network_in_the_middle_of_a_task_finishes_it_once()
    {
        var leader = await LeaderAsync();
        using var http = leader.Host.Http("http://127.0.0.1:8071", GalaxyNode.Key);
        var worker = segment.D.Start(
            GalaxyNode.Program("Galaxy.Cli", "galaxy"),
            new Dictionary<string, string> { ["GALAXY_API_KEY"] = GalaxyNode.Key },
            "worker",
            "--id",
            "far-worker",
            "--master",
            $"ws://{leader.Host.Address}:8071"
        );
        await using var _ = worker;
        await Eventually.TrueAsync(
            async () => (await http.GetAsync("/api/v1/devices/far-worker")).IsSuccessStatusCode,
            30,
            () => string.Join('\n', worker.Output)
        );
        using var submitted = await http.PostAsJsonAsync(
            "/api/v1/tasks",
            new
            {
                action = "sleep",
                @params = new { seconds = 8 },
                target_device = "far-worker",
            }
        );
        var id = (await submitted.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("task_id").GetString();
        await Eventually.TrueAsync(async () => (await TaskAsync()).GetProperty("state").GetString() == "running");

        var address = segment.D.Address;
        await segment.D.UnplugAsync();
        await Task.Delay(TimeSpan.FromSeconds(30));
        Assert.NotEqual("completed", (await TaskAsync()).GetProperty("state").GetString());
        await segment.D.PlugAsync(address);

        await Eventually.TrueAsync(
            async () => (await TaskAsync()).GetProperty("state").GetString() == "completed",
            60,
            () => string.Join('\n', worker.Output)
        );
        var task = await TaskAsync();
        Assert.Equal(
            (1, 8.0),
            (
                task.GetProperty("attempts").GetInt32(),
                task.GetProperty("result").GetProperty("slept_seconds").GetDouble()
            )
        );
        Assert.Equal(
            1,
            worker.Output.Count(line =>
                line.Contains($"Task {id}", StringComparison.Ordinal) && line.Contains("done", StringComparison.Ordinal)
            )
        );

        async Task<JsonElement> TaskAsync() => await http.GetFromJsonAsync<JsonElement>("/api/v1/tasks/" + id);
    }

    private async Task<GalaxyNode> LeaderAsync()
    {
        await segment.OneClusterAsync("node-a", "node-b");
        return
            (await segment.A.ClusterAsync())!.Value.GetProperty("leader").GetProperty("node_id").GetString() == "node-a"
            ? segment.A
            : segment.B;
    }
}
