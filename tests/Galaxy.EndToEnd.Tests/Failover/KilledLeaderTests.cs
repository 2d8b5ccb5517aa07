using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.LocalHosting.Supervision;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.EndToEnd.Tests.Failover;

[Collection("system")]
public sealed class KilledLeaderOnGarnetTests(RunningGalaxy galaxy)
    : KilledLeaderTests(galaxy),
        IClassFixture<RunningGalaxy>;

[Collection("system")]
public sealed class KilledLeaderOnRedisServerTests(GalaxyOnRedisServer galaxy)
    : KilledLeaderTests(galaxy),
        IClassFixture<GalaxyOnRedisServer>;

/// <summary>kill -9 of the leader, seen from outside through the gateway.</summary>
public abstract class KilledLeaderTests(RunningGalaxy galaxy)
{
    private const double ServedAgainSeconds = 5;

    private async Task<LeaderResponse> NextLeaderAsync(LeaderResponse old) =>
        (
            await Eventually.NotNullAsync(
                async () =>
                    (await galaxy.ClusterAsync())?.Leader is { } leader && leader.Token > old.Token ? leader : null,
                ServedAgainSeconds
            )
        )!;

    [Fact]
    public async Task When_the_leader_is_killed_another_serves_and_nothing_is_lost()
    {
        var before = await galaxy.ClusterAsync();
        var old = before!.Leader!;
        var oldPid = before.Nodes.Single(node => node.NodeId == old.NodeId).Pid;
        Assert.Equal(galaxy.Host.ProcessId(old.NodeId), oldPid);
        var quick = await galaxy.SubmitAsync(new { action = "echo", @params = new { text = "before" } });
        Assert.Equal(TaskState.Completed, (await galaxy.FinishedAsync(quick)).State);
        // Under way on a worker when its leader dies.
        var running = await galaxy.SubmitAsync(new { action = "sleep", @params = new { seconds = 4 } });
        await Eventually.TrueAsync(async () =>
            await galaxy.Http.GetFromJsonAsync<TaskView>("/api/v1/tasks/" + running, GalaxyJson.Options)
                is { State: TaskState.Running, Progress: > 0 }
        );

        galaxy.Host.Kill(old.NodeId);

        var leader = await NextLeaderAsync(old);
        Assert.NotEqual(old.NodeId, leader.NodeId);
        var after = await galaxy.SubmitAsync(new { action = "echo", @params = new { text = "after" } });
        var finished = await galaxy.FinishedAsync(after);
        Assert.Equal(
            (TaskState.Completed, "after"),
            (finished.State, finished.Result!.Value.GetProperty("text").GetString())
        );
        Assert.True(finished.Token >= leader.Token, "the result was written under the new leader's token");
        var slept = await galaxy.FinishedAsync(running);
        Assert.Equal((TaskState.Completed, 1), (slept.State, slept.Attempts));

        await Eventually.TrueAsync(async () =>
            galaxy.Host.Restarts(old.NodeId) > 0
            && galaxy.Host.State(old.NodeId) == ProcessState.Healthy
            && (await galaxy.ClusterAsync())?.Nodes.SingleOrDefault(node => node.NodeId == old.NodeId)
                is { State: "alive" } node
            && node.Pid != oldPid
        );
        Assert.NotEqual(old.NodeId, (await galaxy.LeaderAsync()).NodeId);
    }

    [Fact]
    public async Task The_failover_has_a_record_and_one_trace_through_coordinator_gateway_and_router()
    {
        var old = await galaxy.LeaderAsync();
        galaxy.Host.Kill(old.NodeId);
        var leader = await NextLeaderAsync(old);

        var record = (
            await Eventually.NotNullAsync(async () =>
                (
                    await galaxy.Http.GetFromJsonAsync<FailoverRecord[]>("/api/v1/failovers", GalaxyJson.Options)
                )!.FirstOrDefault(r => r.NewToken == leader.Token)
            )
        )!;
        Assert.Equal((old.NodeId, leader.NodeId, old.Token), (record.From, record.To, record.OldToken));
        Assert.Equal("crash", record.Reason);
        Assert.Equal(
            ["detect", "check standbys", "acquire", "catch up", "announce"],
            record.Steps.Select(step => step.Name)
        );
        Assert.InRange(record.DurationMs, 0.1, ServedAgainSeconds * 1000);

        await Eventually.TrueAsync(async () =>
        {
            using var answer = await galaxy.Http.GetAsync("/api/v1/traces/" + record.TraceId);
            if (!answer.IsSuccessStatusCode)
                return false;
            var services = (await answer.Content.ReadFromJsonAsync<JsonArray>())!
                .Select(span => span!["service"]!.GetValue<string>())
                .ToHashSet();
            return services.Contains(leader.NodeId)
                && services.Contains("gateway")
                && services.Overlaps(["router-a", "router-b"]);
        });
        await Eventually.TrueAsync(async () =>
            galaxy.Host.State(old.NodeId) == ProcessState.Healthy
            && (await galaxy.ClusterAsync())?.Nodes.Count(node => node.State == "alive") == 3
        );
    }

    [Fact]
    public async Task A_failover_by_hand_moves_the_lease_at_once()
    {
        var (old, to) = (await galaxy.LeaderAsync(), "");
        // A machine that is busy takes a node for dead now and then, and is refuted a moment later: such a successor is
        // refused, rightly.
        await Eventually.TrueAsync(async () =>
        {
            old = await galaxy.LeaderAsync();
            if (
                (await galaxy.ClusterAsync())?.Nodes.FirstOrDefault(node =>
                    node.NodeId != old.NodeId && node.State == "alive"
                )
                is not { } successor
            )
                return false;
            to = successor.NodeId;
            using var answer = await galaxy.Http.PostAsJsonAsync("/api/v1/failover", new { to });
            var said = await answer.Content.ReadAsStringAsync();
            Assert.True(
                answer.IsSuccessStatusCode || said.Contains("no other live coordinator", StringComparison.Ordinal),
                said
            );
            return answer.IsSuccessStatusCode;
        });

        Assert.Equal(to, (await NextLeaderAsync(old)).NodeId);
        var record = (
            await Eventually.NotNullAsync(async () =>
                (
                    await galaxy.Http.GetFromJsonAsync<FailoverRecord[]>("/api/v1/failovers", GalaxyJson.Options)
                )!.FirstOrDefault(r => r.OldToken == old.Token)
            )
        )!;
        Assert.Equal("manual", record.Reason);
    }
}
