using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Galaxy.Contracts.Api;

namespace Galaxy.EndToEnd.Tests.Tasks;

/// <summary>A slice of what <c>bench/tasks --only chaos</c> does with 50,000 tasks and twenty deaths.</summary>
[Collection("system")]
public sealed class ManyTasksTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    private const int Batches = 60,
        InBatch = 25,
        Kills = 3;

    [Fact]
    public async Task None_is_lost_while_leaders_are_killed()
    {
        var submitted = new List<string>();
        for (var batch = 0; batch < Batches; batch++)
        {
            if (batch % (Batches / Kills) == 5)
                galaxy.Host.Kill((await galaxy.LeaderAsync()).NodeId);
            await Eventually.TrueAsync(async () =>
            {
                using var answer = await galaxy.Http.PostAsJsonAsync(
                    "/api/v1/tasks/batch",
                    Enumerable
                        .Range(0, InBatch)
                        .Select(n => new
                        {
                            action = "echo",
                            @params = new { n },
                            max_attempts = 20,
                        })
                );
                if (answer.StatusCode != HttpStatusCode.Created)
                    return false;
                submitted.AddRange(
                    (await answer.Content.ReadFromJsonAsync<JsonElement>())
                        .EnumerateArray()
                        .Select(task => task.GetProperty("task_id").GetString()!)
                );
                return true;
            });
        }
        foreach (var (id, n) in submitted.Select((id, i) => (id, i % InBatch)))
        {
            var task = await galaxy.FinishedAsync(id);
            Assert.Equal((TaskState.Completed, n), (task.State, task.Result!.Value.GetProperty("n").GetInt32()));
        }
    }
}
