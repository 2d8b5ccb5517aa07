using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.Contracts.Gossip;
using Galaxy.ServiceDefaults.Input;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Galaxy.EndToEnd.Tests.Failover;

/// <summary>What an answer says has happened when it comes, and what it refuses has not happened at all.</summary>
[Collection("system")]
public sealed class HonestAnswersTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    private static readonly string[] Nodes = ["coordinator-a", "coordinator-b", "coordinator-c"];

    [Fact]
    public async Task Promote_and_drain_answer_when_another_leads_and_a_refused_promote_changes_nothing()
    {
        await galaxy.SettledAsync();
        for (var round = 0; round < 3; round++)
        {
            var leading = (await galaxy.LeaderAsync()).NodeId;
            var next = Nodes.First(node => node != leading);
            using var promoted = await galaxy.Http.PostAsJsonAsync("/api/v1/failover/promote", new { node_id = next });
            Assert.True(promoted.IsSuccessStatusCode, await promoted.Content.ReadAsStringAsync());
            Assert.Equal(next, (string?)(await promoted.Content.ReadFromJsonAsync<JsonNode>())!["to"]);
            // It has the lease; that it has begun its term follows.
            await Eventually.TrueAsync(async () => await LeaderOfAsync(next) == next, 2);
        }

        // A target that hangs: refused, and the order is what it was.
        var leader = await galaxy.LeaderAsync();
        var before = await SettingsAsync();
        var hanging = Nodes.First(node => node != leader.NodeId);
        galaxy.Host.Pause(hanging);
        using (var refused = await galaxy.Http.PostAsJsonAsync("/api/v1/failover/promote", new { node_id = hanging }))
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(before.Primary, (await SettingsAsync()).Primary);
        Assert.Equal(leader.Token, (await galaxy.LeaderAsync()).Token);
        galaxy.Host.Continue(hanging);
        await galaxy.SettledAsync();

        // Two at once: whoever is told that it was done stands first.
        var others = Nodes.Where(node => node != leader.NodeId).ToList();
        var answers = await Task.WhenAll(
            others.Select(node => galaxy.Http.PostAsJsonAsync("/api/v1/failover/promote", new { node_id = node }))
        );
        var done = others.Where((_, i) => answers[i].IsSuccessStatusCode).ToList();
        Assert.NotEmpty(done);
        // The order is replicated state: the new leader hears of it a moment later.
        await Eventually.TrueAsync(async () => done.Contains((await SettingsAsync()).Primary ?? ""), 5);
        await galaxy.SettledAsync();

        var drained = (await galaxy.LeaderAsync()).NodeId;
        using (var answer = await galaxy.Http.PutAsync($"/api/v1/failover/drained/{drained}", null))
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.NotEqual(drained, (await galaxy.LeaderAsync()).NodeId);
        using var undrained = await galaxy.Http.DeleteAsync($"/api/v1/failover/drained/{drained}");
        Assert.Equal(HttpStatusCode.OK, undrained.StatusCode);
    }

    [Fact]
    public async Task A_key_may_be_used_right_after_it_was_made_and_is_refused_soon_after_it_was_withdrawn()
    {
        for (var i = 0; i < 30; i++)
        {
            var key = (
                await (
                    await galaxy.Http.PostAsJsonAsync(
                        "/api/v1/access/keys",
                        new { name = $"fresh-{i}", role = "viewer" }
                    )
                ).Content.ReadFromJsonAsync<JsonNode>()
            )!;
            using var client = new HttpClient { BaseAddress = galaxy.Http.BaseAddress };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Bearer",
                (string)key["secret"]!
            );
            using (var used = await client.GetAsync("/api/v1/devices"))
                Assert.Equal((i, HttpStatusCode.OK), (i, used.StatusCode));
            using (var withdrawn = await galaxy.Http.DeleteAsync("/api/v1/access/keys/" + (string)key["id"]!))
                withdrawn.EnsureSuccessStatusCode();
            await Eventually.TrueAsync(
                async () =>
                {
                    using var refused = await client.GetAsync("/api/v1/devices");
                    return refused.StatusCode == HttpStatusCode.Unauthorized;
                },
                2
            );
        }
    }

    [Fact]
    public async Task A_device_that_a_former_leader_calls_online_is_offline_after_a_while()
    {
        // What such a leader wrote before it was stopped, and could not send until now.
        var entry = new Entry
        {
            Namespace = "devices",
            Key = "ghost",
            Value = ByteString.CopyFromUtf8(
                """{"device_id":"ghost","device_name":"ghost","device_type":"x","state":"online","held_by":"of-a-former-leader"}"""
            ),
            Dot = new Dot { Origin = "former~00000001", Counter = 1 },
            HlcPhysicalMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
        };
        using var channel = GrpcChannel.ForAddress(galaxy.Host.Url("coordinator-b", "grpc"));
        await new Contracts.Gossip.Gossip.GossipClient(channel).PushAsync(
            new PushRequest
            {
                Cluster = "galaxy",
                From = "former",
                Entries = { entry },
            },
            new Metadata { { "authorization", "Bearer " + galaxy.Key } }
        );
        await Eventually.TrueAsync(async () => await StateOfAsync("ghost") == "online");

        await Eventually.TrueAsync(async () => await StateOfAsync("ghost") == "offline", 20);
        Assert.All(
            await galaxy.Http.GetFromJsonAsync<List<DeviceView>>("/api/v1/devices?state=online", GalaxyJson.Options)
                ?? [],
            device => Assert.NotEqual("ghost", device.DeviceId)
        );
        using var removed = await galaxy.Http.DeleteAsync("/api/v1/devices/ghost");
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
    }

    private async Task<string?> StateOfAsync(string device)
    {
        using var answer = await galaxy.Http.GetAsync("/api/v1/devices/" + device);
        return answer.IsSuccessStatusCode
            ? (await answer.Content.ReadFromJsonAsync<DeviceView>(GalaxyJson.Options))!.State
            : null;
    }

    private async Task<FailoverSettings> SettingsAsync() =>
        (await galaxy.Http.GetFromJsonAsync<FailoverStatus>("/api/v1/failover", GalaxyJson.Options))!.Settings;

    private async Task<string?> LeaderOfAsync(string node)
    {
        using var client = galaxy.Client(node);
        return (await client.GetFromJsonAsync<ClusterResponse>("/api/v1/cluster", GalaxyJson.Options))!.Leader?.NodeId;
    }
}
