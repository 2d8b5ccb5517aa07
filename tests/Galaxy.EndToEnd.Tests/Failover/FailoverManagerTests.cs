using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.Contracts.Failovers;
using Galaxy.ServiceDefaults.Input;
using Grpc.Core;
using Grpc.Net.Client;

namespace Galaxy.EndToEnd.Tests.Failover;

/// <summary>The report's calls over REST and gRPC, on every coordinator.</summary>
[Collection("system")]
public sealed class FailoverManagerTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    private async Task<FailoverStatus> ChangeAsync(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, "/api/v1/failover" + path)
        {
            Content = body is null ? null : JsonContent.Create(body),
        };
        using var answer = await galaxy.Http.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<FailoverStatus>(GalaxyJson.Options))!;
    }

    private async Task<(HttpStatusCode Status, string Detail)> RefusedAsync(
        HttpMethod method,
        string path,
        object? body
    )
    {
        using var request = new HttpRequestMessage(method, "/api/v1/failover" + path)
        {
            Content = body is null ? null : JsonContent.Create(body),
        };
        using var answer = await galaxy.Http.SendAsync(request);
        return (answer.StatusCode, (await answer.Content.ReadFromJsonAsync<JsonNode>())!["detail"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_order_is_set_once_and_known_everywhere_and_promotion_moves_the_lead()
    {
        await ChangeAsync(HttpMethod.Put, "/primary", new { node_id = "coordinator-c" });
        await ChangeAsync(HttpMethod.Post, "/secondaries", new { node_id = "coordinator-b" });
        foreach (var node in new[] { "coordinator-a", "coordinator-b", "coordinator-c" })
        {
            using var channel = GrpcChannel.ForAddress(galaxy.Host.Url(node, "grpc"));
            var manager = new FailoverManager.FailoverManagerClient(channel);
            var key = new Metadata { { "authorization", "Bearer " + galaxy.Key } };
            await Eventually.TrueAsync(async () =>
                await manager.GetStatusAsync(new StatusRequest(), key) is { Primary: "coordinator-c" } status
                && status.Secondaries.Contains("coordinator-b")
                && status.Order[0] == "coordinator-c"
            );
        }

        await ChangeManyAsync();
        using var promoted = await galaxy.Http.PostAsJsonAsync(
            "/api/v1/failover/promote",
            new { node_id = "coordinator-b" }
        );
        Assert.True(promoted.IsSuccessStatusCode, await promoted.Content.ReadAsStringAsync());
        await Eventually.TrueAsync(async () => (await galaxy.ClusterAsync())?.Leader?.NodeId == "coordinator-b");
    }

    private async Task ChangeManyAsync()
    {
        Assert.True(
            (await ChangeAsync(HttpMethod.Put, "/settings", new { auto_failback = true, recovery_timeout_seconds = 5 }))
                .Settings
                .AutoFailback
        );
        Assert.False(
            (await ChangeAsync(HttpMethod.Put, "/settings", new { auto_failback = false })).Settings.AutoFailback
        );
        Assert.DoesNotContain(
            "coordinator-b",
            (await ChangeAsync(HttpMethod.Delete, "/secondaries/coordinator-b", null)).Settings.Secondaries
        );
    }

    [Fact]
    public async Task A_drained_leader_hands_over_and_leads_no_more_until_it_is_let_in_again()
    {
        var leader = await galaxy.LeaderAsync();
        var (code, said) = await GalaxyProgram.RunAsync(galaxy, "drain", leader.NodeId);
        Assert.True(code == 0, said);
        Assert.Matches($@"drained +{leader.NodeId}", said);
        await Eventually.TrueAsync(async () =>
            (await galaxy.ClusterAsync())?.Leader is { } next && next.NodeId != leader.NodeId
        );

        Assert.Contains(
            "drained",
            (await RefusedAsync(HttpMethod.Post, "", new { to = leader.NodeId })).Detail,
            StringComparison.Ordinal
        );

        (code, said) = await GalaxyProgram.RunAsync(galaxy, "drain", leader.NodeId, "--undo");
        Assert.True(code == 0, said);
        Assert.DoesNotContain("drained", said, StringComparison.Ordinal);
        var (again, why) = await GalaxyProgram.RunAsync(galaxy, "drain", leader.NodeId, "--undo");
        Assert.Equal(2, again);
        Assert.Contains($"'{leader.NodeId}' is not drained", why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_done_is_said_with_the_field_and_what_is_allowed()
    {
        var unknown = await RefusedAsync(HttpMethod.Put, "/primary", new { node_id = "nobody" });
        Assert.Equal(HttpStatusCode.BadRequest, unknown.Status);
        Assert.Contains("'node_id' is 'nobody'", unknown.Detail, StringComparison.Ordinal);
        Assert.Contains("coordinator-a", unknown.Detail, StringComparison.Ordinal);
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await RefusedAsync(HttpMethod.Delete, "/secondaries/nobody", null)).Status
        );
        Assert.Contains(
            "'kind' is 'carrier pigeon'",
            (
                await RefusedAsync(
                    HttpMethod.Post,
                    "/checks",
                    new
                    {
                        name = "x",
                        kind = "carrier pigeon",
                        target = "y",
                    }
                )
            ).Detail,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "recovery_timeout_seconds",
            (await RefusedAsync(HttpMethod.Put, "/settings", new { recovery_timeout_seconds = -1 })).Detail,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "'to' is 'nobody'",
            (await RefusedAsync(HttpMethod.Post, "", new { to = "nobody" })).Detail,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_leader_that_fails_its_check_hands_over_and_does_not_stand()
    {
        var leader = await galaxy.LeaderAsync();
        // Nobody listens there.
        await ChangeAsync(
            HttpMethod.Post,
            "/checks",
            new
            {
                name = "disk",
                kind = "tcp",
                target = "127.0.0.1:1",
                node_id = leader.NodeId,
                interval_seconds = 0.2,
                threshold = 2,
            }
        );

        await Eventually.TrueAsync(async () =>
            (await galaxy.ClusterAsync())?.Leader is { } next
            && next.NodeId != leader.NodeId
            && next.Token > leader.Token
        );

        await ChangeAsync(HttpMethod.Delete, "/checks/disk", null);
    }
}
