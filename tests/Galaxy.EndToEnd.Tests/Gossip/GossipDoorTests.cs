using System.Net;
using System.Text;
using Galaxy.Contracts.Gossip;
using Grpc.Core;
using Grpc.Net.Client;

namespace Galaxy.EndToEnd.Tests.Gossip;

/// <summary>Who may gossip, under which name, and what happens to a node whose disk is full.</summary>
[Collection("system")]
public sealed class GossipDoorTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private Contracts.Gossip.Gossip.GossipClient Client(out GrpcChannel channel) =>
        new(channel = GrpcChannel.ForAddress(galaxy.Host.Url("coordinator-a", "grpc")));

    private static async Task<StatusCode> RefusalAsync(Func<Task> call)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(call);
        return refused.StatusCode;
    }

    [Fact]
    public async Task Without_the_key_or_for_another_cluster_nothing_is_heard()
    {
        var client = Client(out var channel);
        using var _ = channel;
        var stranger = new Member
        {
            NodeId = "stranger",
            Boot = "b",
            State = "alive",
            Incarnation = 1,
            Role = "coordinator",
            GrpcUrl = "http://127.0.0.1:1",
            Url = "http://127.0.0.1:1",
        };
        var (key, wrong) = (
            new Metadata { { "authorization", "Bearer " + galaxy.Key } },
            new Metadata { { "authorization", "Bearer gx-wrong" } }
        );
        foreach (var headers in new[] { [], wrong })
        {
            Assert.Equal(
                StatusCode.Unauthenticated,
                await RefusalAsync(async () =>
                    await client.ExchangeAsync(new ExchangeRequest { Cluster = "galaxy", From = stranger }, headers)
                )
            );
            Assert.Equal(
                StatusCode.Unauthenticated,
                await RefusalAsync(async () =>
                    await client.PushAsync(new PushRequest { Cluster = "galaxy", From = "stranger" }, headers)
                )
            );
            Assert.Equal(
                StatusCode.Unauthenticated,
                await RefusalAsync(() =>
                    ConverseAsync(
                        client,
                        new Hello
                        {
                            Cluster = "galaxy",
                            NodeId = "stranger",
                            Boot = "b",
                        },
                        headers
                    )
                )
            );
        }
        Assert.Equal(
            StatusCode.FailedPrecondition,
            await RefusalAsync(async () =>
                await client.ExchangeAsync(new ExchangeRequest { Cluster = "other", From = stranger }, key)
            )
        );
        Assert.Equal(
            StatusCode.FailedPrecondition,
            await RefusalAsync(() =>
                ConverseAsync(
                    client,
                    new Hello
                    {
                        Cluster = "other",
                        NodeId = "stranger",
                        Boot = "b",
                    },
                    key
                )
            )
        );
        Assert.Equal(StatusCode.InvalidArgument, await RefusalAsync(() => ConverseAsync(client, null, key)));

        Assert.DoesNotContain((await galaxy.ClusterAsync())!.Nodes, node => node.NodeId == "stranger");
    }

    private static async Task ConverseAsync(Contracts.Gossip.Gossip.GossipClient client, Hello? hello, Metadata headers)
    {
        using var call = client.Converse(headers, DateTime.UtcNow + Patience);
        try
        {
            await call.RequestStream.WriteAsync(new Frame { Hello = hello, Number = 1 });
        }
        catch (Exception closed) when (closed is RpcException or InvalidOperationException)
        {
            // The reading side says why.
        }
        await call.ResponseStream.MoveNext(default);
    }

    [Fact]
    public async Task A_second_process_under_a_name_that_lives_is_refused_and_both_sides_say_so()
    {
        using var namesake = new ExtraProcess(galaxy, "coordinator-a", "coordinator-b", ["HTTP_PORT", "GRPC_PORT"]);

        Assert.True(await namesake.ExitCodeAsync(Patience) == 4, namesake.Output);

        Assert.Contains(
            "The name 'coordinator-b' is taken by the process at http://127.0.0.1:",
            namesake.Output,
            StringComparison.Ordinal
        );
        Assert.Contains("Galaxy_NODE_ID", namesake.Output, StringComparison.Ordinal);
        var said = string.Join(
            '\n',
            galaxy
                .Host.Output("coordinator-a")
                .Concat(galaxy.Host.Output("coordinator-b"))
                .Concat(galaxy.Host.Output("coordinator-c"))
        );
        Assert.Contains("A second process calls itself 'coordinator-b'", said, StringComparison.Ordinal);
        Assert.Equal(ProcessState(galaxy, "coordinator-b"), ("Healthy", 0));
    }

    private static (string State, int Restarts) ProcessState(RunningGalaxy galaxy, string name) =>
        (galaxy.Host.State(name).ToString(), galaxy.Host.Restarts(name));

    [Fact]
    public async Task A_node_whose_disk_is_full_says_so_keeps_serving_and_keeps_what_it_had_acknowledged()
    {
        // No file may grow above 1 MiB, as if the disk were full then. Without the trap the signal would end the
        // process; and the runtime's own large file in memory has to go.
        using var full = new ExtraProcess(
            galaxy,
            "coordinator-a",
            "coordinator-full",
            ["HTTP_PORT", "GRPC_PORT"],
            "export DOTNET_EnableWriteXorExecute=0\ntrap '' XFSZ\nulimit -f 1024"
        );
        using var client = new HttpClient { BaseAddress = full.Url, Timeout = TimeSpan.FromSeconds(5) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", galaxy.Key);
        await Eventually.TrueAsync(async () => full.HasEnded || await AnswersAsync(client));
        Assert.False(full.HasEnded, full.Output);

        var value = "\"" + new string('x', 100_000) + "\"";
        var acknowledged = 0;
        HttpResponseMessage? refusal = null;
        for (var i = 0; i < 20 && refusal is null; i++)
        {
            var answer = await client.PutAsync(
                $"/api/v1/state/full/{i}",
                new StringContent(value, Encoding.UTF8, "application/json")
            );
            if (answer.IsSuccessStatusCode)
                acknowledged++;
            else
                refusal = answer;
        }

        Assert.InRange(acknowledged, 5, 12);
        Assert.True(refusal!.StatusCode == HttpStatusCode.InsufficientStorage, full.Output);
        Assert.Contains(
            "disk did not take the write",
            await refusal.Content.ReadAsStringAsync(),
            StringComparison.Ordinal
        );
        Assert.False(full.HasEnded, full.Output);
        using var other = galaxy.Client("coordinator-b");
        for (var i = 0; i < acknowledged; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/api/v1/state/full/{i}")).StatusCode);
            await Eventually.TrueAsync(async () =>
                (await other.GetAsync($"/api/v1/state/full/{i}")).IsSuccessStatusCode
            );
        }
    }

    private static async Task<bool> AnswersAsync(HttpClient client)
    {
        try
        {
            return (await client.GetAsync("/api/v1/cluster")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
