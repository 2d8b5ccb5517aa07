using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.EndToEnd.Tests.Tasks;

/// <summary>
/// A batch is accepted whole or not at all, and with an Idempotency-Key once however often it is sent.
/// </summary>
[Collection("shared system")]
public sealed class BatchTests(RunningGalaxy galaxy)
{
    private readonly string _tag = "batch-" + Guid.NewGuid().ToString("N")[..8];

    private object[] Members(int count, string action = "echo") =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(n => new
                {
                    action,
                    @params = new { n },
                    tags = new[] { _tag },
                }),
        ];

    private async Task<HttpResponseMessage> PostAsync(object batch, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/tasks/batch")
        {
            Content = JsonContent.Create(batch),
        };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return await galaxy.Http.SendAsync(request);
    }

    private async Task<(HttpStatusCode Status, string[] TaskIds)> SubmitAsync(object batch, string? key)
    {
        using var answer = await PostAsync(batch, key);
        return answer.IsSuccessStatusCode
            ? (
                answer.StatusCode,
                [
                    .. (await answer.Content.ReadFromJsonAsync<JsonArray>())!.Select(task =>
                        task!["task_id"]!.GetValue<string>()
                    ),
                ]
            )
            : (answer.StatusCode, []);
    }

    /// <summary>The ids of all tasks that were ever submitted with this test's tag.</summary>
    private async Task<List<TaskView>> StoredAsync()
    {
        var found = new List<TaskView>();
        for (var page = $"/api/v1/tasks?limit=1000&tag={_tag}"; page is not null; )
        {
            using var answer = await galaxy.Http.GetAsync(page);
            answer.EnsureSuccessStatusCode();
            found.AddRange((await answer.Content.ReadFromJsonAsync<TaskView[]>(GalaxyJson.Options))!);
            page = answer.Headers.TryGetValues("Link", out var links) ? links.Single().Split('>')[0][1..] : null;
        }
        return found;
    }

    [Fact]
    public async Task Sent_again_it_is_answered_with_the_same_tasks_in_the_same_order()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SubmitAsync(Members(50), _tag)));
        var again = await SubmitAsync(Members(50), _tag);

        Assert.All(answers, answer => Assert.Equal(again.TaskIds, answer.TaskIds));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.Created);
        Assert.Equal(HttpStatusCode.OK, again.Status);
        var stored = (await StoredAsync()).ToDictionary(task => task.TaskId);
        Assert.Equal(
            Enumerable.Range(0, 50),
            again.TaskIds.Select(id => stored[id].Params!.Value.GetProperty("n").GetInt32())
        );
        Assert.Equal(50, stored.Count);
    }

    [Fact]
    public async Task The_key_with_another_body_is_refused_and_nothing_is_submitted()
    {
        var first = await SubmitAsync(Members(3), _tag);
        foreach (var other in (object[][])[Members(2), Members(5), Members(3, "sleep"), [.. Members(3).Reverse()]])
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await SubmitAsync(other, _tag)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await SubmitAsync(Members(3), new string('k', 257))).Status);

        Assert.Equal(first.TaskIds.Order(), (await StoredAsync()).Select(task => task.TaskId).Order());
        // The key of a batch is none of a task.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/tasks")
        {
            Content = JsonContent.Create(new { action = "echo" }),
        };
        request.Headers.Add("Idempotency-Key", _tag);
        using var task = await galaxy.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Created, task.StatusCode);
    }

    [Fact]
    public async Task When_one_member_is_wrong_none_is_submitted()
    {
        foreach (var key in (string?[])[null, _tag])
        {
            foreach (
                var wrong in (object?[])
                    [
                        new { action = "" },
                        null,
                        new { action = "echo", dependencies = new[] { new { task_id = "no-such-task" } } },
                    ]
            )
                Assert.Equal(
                    HttpStatusCode.BadRequest,
                    (await SubmitAsync((object?[])[.. Members(5), wrong, .. Members(5)], key)).Status
                );
        }
        Assert.Empty(await StoredAsync());
    }

    [Fact]
    public async Task Without_a_key_each_is_new()
    {
        var (one, other) = (await SubmitAsync(Members(3), null), await SubmitAsync(Members(3), null));

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (one.Status, other.Status));
        Assert.Equal(6, one.TaskIds.Concat(other.TaskIds).Distinct().Count());
    }

    /// <param name="asked">So many questions are answered by the gateway between the request and the death of the
    /// leader.</param>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(12)]
    public async Task Repeated_until_it_is_answered_it_is_there_once_although_the_leader_dies_in_the_middle(int asked)
    {
        await galaxy.SettledAsync();
        var batch = Members(1000);
        var leader = (await galaxy.LeaderAsync()).NodeId;
        var first = SubmitAsync(batch, _tag);
        for (var i = 0; i < asked; i++)
            await galaxy.ClusterAsync();

        galaxy.Host.Kill(leader);

        string[] ids = [];
        var status = (await first).Status;
        await Eventually.TrueAsync(async () => (ids = (await SubmitAsync(batch, _tag)).TaskIds).Length > 0);
        Assert.Equal(1000, ids.Distinct().Count());
        var stored = await StoredAsync();
        Assert.Equal(ids.Order(), stored.Select(task => task.TaskId).Order());
        TestContext.Current.TestOutputHelper?.WriteLine($"first answer {(int)status}, {stored.Count} tasks");
    }
}
