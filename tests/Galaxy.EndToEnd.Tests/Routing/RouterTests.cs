using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Galaxy.EndToEnd.Tests.Routing;

/// <summary>
/// Who can do it, and who should: the router of the local system, with services that are not part of it.
/// </summary>
[Collection("system")]
public sealed class RouterTests(RunningGalaxy galaxy) : IClassFixture<RunningGalaxy>
{
    private async Task<JsonNode> GetAsync(string path) => (await galaxy.Http.GetFromJsonAsync<JsonNode>(path))!;

    private async Task KnownAsync(string capability, int count) =>
        await Eventually.TrueAsync(async () =>
        {
            // Both routers follow the coordinators by themselves.
            foreach (var router in (string[])["router-a", "router-b"])
            {
                using var client = galaxy.Client(router);
                if ((await client.GetFromJsonAsync<JsonArray>("/discover/" + capability))!.Count != count)
                    return false;
            }
            return true;
        });

    private async Task<string?> ChosenAsync(string path) => (await GetAsync(path))["id"]?.GetValue<string>();

    [Fact]
    public async Task Services_register_are_chosen_by_what_is_asked_and_leave()
    {
        await using var attic = await OutsideService.StartAsync("painter-attic");
        await using var cloud = await OutsideService.StartAsync("painter-cloud");
        await attic.RegisterAsync(
            galaxy.Http,
            "paint",
            new
            {
                labels = new { gpu = "true" },
                location = "home/attic",
                load = 0.7,
            },
            new
            {
                name = "paint",
                description = "Paints",
                parameters = new { type = "object" },
                idempotent = true,
            }
        );
        await cloud.RegisterAsync(galaxy.Http, "paint", new { location = "cloud/eu", load = 0.1 });
        await KnownAsync("paint", 2);

        Assert.Equal("painter-cloud", await ChosenAsync("/route/paint"));
        Assert.Equal("painter-attic", await ChosenAsync("/route/paint?labels=gpu=true"));
        Assert.Equal("painter-attic", await ChosenAsync("/route/paint?exclude=painter-cloud"));
        Assert.Equal("painter-attic", await ChosenAsync("/route/paint?strategy=location&location=home/desk"));
        var turns = new HashSet<string?>
        {
            await ChosenAsync("/route/paint?strategy=round_robin"),
            await ChosenAsync("/route/paint?strategy=round_robin"),
            await ChosenAsync("/route/paint?strategy=round_robin"),
            await ChosenAsync("/route/paint?strategy=round_robin"),
        };
        Assert.Equal(2, turns.Count);
        // The same key goes to the same one, whichever router is asked.
        foreach (var key in Enumerable.Range(0, 20).Select(i => $"user-{i}"))
        {
            var chosen = new HashSet<string?>();
            foreach (var router in (string[])["router-a", "router-b"])
            {
                using var client = galaxy.Client(router);
                chosen.Add(
                    (await client.GetFromJsonAsync<JsonNode>($"/route/paint?key={key}"))!["id"]!.GetValue<string>()
                );
            }
            Assert.Single(chosen);
        }
        var why = await GetAsync("/route/paint?explain=true&labels=gpu=true");
        Assert.Equal(
            ("painter-attic", "its labels do not match"),
            (why["chosen"]!["id"]!.GetValue<string>(), why["excluded"]![0]!["reason"]!.GetValue<string>())
        );
        Assert.Equal(
            "Paints",
            (await GetAsync("/nodes/painter-attic"))["capabilities"]![0]!["description"]!.GetValue<string>()
        );
        Assert.Contains(
            "painter-attic",
            (await GetAsync("/topology"))["layers"]!["tools"]!.AsArray().Select(node => node!["id"]!.GetValue<string>())
        );

        using var beat = await galaxy.Http.PostAsJsonAsync(
            "/heartbeat",
            new
            {
                node_id = "painter-cloud",
                load = 0.2,
                status = "degraded",
            }
        );
        Assert.Equal(HttpStatusCode.OK, beat.StatusCode);
        await Eventually.TrueAsync(async () => await ChosenAsync("/route/paint") == "painter-attic");
        Assert.Equal(HttpStatusCode.NoContent, (await galaxy.Http.DeleteAsync("/nodes/painter-attic")).StatusCode);
        await KnownAsync("paint", 1);
        Assert.Equal("painter-cloud", await ChosenAsync("/route/paint"));
        await galaxy.Http.DeleteAsync("/nodes/painter-cloud");
        await KnownAsync("paint", 0);
        Assert.Equal(HttpStatusCode.NotFound, (await galaxy.Http.GetAsync("/route/paint")).StatusCode);
    }

    [Fact]
    public async Task What_fails_goes_elsewhere_only_where_that_is_safe()
    {
        await using var good = await OutsideService.StartAsync("mill-good");
        var bad = await OutsideService.StartAsync("mill-bad", context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        await using (bad)
        {
            // The bad one is preferred by its load.
            await bad.RegisterAsync(galaxy.Http, "mill", new { load = 0.0 });
            await good.RegisterAsync(galaxy.Http, "mill", new { load = 0.9 });
            await KnownAsync("mill", 2);

            // It got there, and what was done is not known: told, and not repeated.
            using var once = await galaxy.Http.PostAsJsonAsync("/invoke/mill", new { grain = 1 });
            Assert.True(
                once.StatusCode == HttpStatusCode.BadGateway,
                $"{once}\n{await once.Content.ReadAsStringAsync()}"
            );
            Assert.Equal(
                (HttpStatusCode.BadGateway, "true", 0),
                (once.StatusCode, once.Headers.GetValues("X-Galaxy-May-Have-Run").Single(), good.Asked)
            );
            Assert.Contains(
                "mill-bad: hung up before it answered. Whether it was done there is not known.",
                (await once.Content.ReadFromJsonAsync<JsonNode>())!["detail"]!.GetValue<string>(),
                StringComparison.Ordinal
            );

            using var again = await galaxy.Http.PostAsJsonAsync("/invoke/mill?idempotent=true", new { grain = 2 });
            Assert.Equal(
                (HttpStatusCode.OK, "mill-good", "2"),
                (
                    again.StatusCode,
                    again.Headers.GetValues("X-Galaxy-Target").Single(),
                    again.Headers.GetValues("X-Galaxy-Attempts").Single()
                )
            );

            bad.Answer = context => OutsideService.SayAsync(context, "{}", HttpStatusCode.TooManyRequests);
            using var busy = await galaxy.Http.PostAsJsonAsync("/invoke/mill", new { grain = 3 });
            Assert.Equal(
                (HttpStatusCode.OK, "mill-good"),
                (busy.StatusCode, busy.Headers.GetValues("X-Galaxy-Target").Single())
            );

            bad.Answer = context =>
                OutsideService.SayAsync(context, """{"detail":"no such grain"}""", HttpStatusCode.UnprocessableEntity);
            using var refused = await galaxy.Http.PostAsJsonAsync("/invoke/mill?idempotent=true", new { grain = 4 });
            Assert.Equal(
                (HttpStatusCode.UnprocessableEntity, "mill-bad"),
                (refused.StatusCode, refused.Headers.GetValues("X-Galaxy-Target").Single())
            );
        }
        // Nobody listens there any more: it never got there, so that anybody may have it.
        using var elsewhere = await galaxy.Http.PostAsJsonAsync("/invoke/mill", new { grain = 5 });
        Assert.Equal(
            (HttpStatusCode.OK, "mill-good"),
            (elsewhere.StatusCode, elsewhere.Headers.GetValues("X-Galaxy-Target").Single())
        );
        // No service outside ever sees the cluster's key.
        Assert.All(good.Headers.Concat(bad.Headers), headers =>
            Assert.DoesNotContain(galaxy.Key, headers, StringComparison.Ordinal)
        );
        Assert.All(good.Headers, headers =>
            Assert.Contains("traceparent", headers, StringComparison.OrdinalIgnoreCase)
        );
    }

    [Fact]
    public async Task A_service_that_keeps_failing_is_ejected_and_comes_back_when_it_is_well()
    {
        await using var good = await OutsideService.StartAsync("saw-good");
        await using var bad = await OutsideService.StartAsync("saw-bad", context =>
            OutsideService.SayAsync(context, "{}", HttpStatusCode.InternalServerError)
        );
        await bad.RegisterAsync(galaxy.Http, "saw", new { load = 0.0 });
        await good.RegisterAsync(galaxy.Http, "saw", new { load = 0.9 });
        await KnownAsync("saw", 2);
        using var router = galaxy.Client("router-a");

        for (var i = 0; i < 10 && bad.Asked < 5; i++)
        {
            using var answer = await router.PostAsJsonAsync("/invoke/saw?idempotent=true", new { });
            Assert.Equal("saw-good", answer.Headers.GetValues("X-Galaxy-Target").Single());
        }
        await Eventually.TrueAsync(
            async () =>
                (await router.GetFromJsonAsync<JsonNode>("/route/saw?explain=true"))!["excluded"]!
                    .AsArray()
                    .Any(one =>
                        one!["id"]!.GetValue<string>() == "saw-bad"
                        && one["reason"]!.GetValue<string>().StartsWith("ejected for", StringComparison.Ordinal)
                    ),
            5
        );
        var asked = bad.Asked;
        for (var i = 0; i < 20; i++)
            Assert.Equal(HttpStatusCode.OK, (await router.PostAsJsonAsync("/invoke/saw", new { })).StatusCode);
        Assert.Equal(asked, bad.Asked);

        // One request at a time tries it; then it gets a growing share.
        bad.Answer = context => OutsideService.SayAsync(context, """{"by":"saw-bad"}""");
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await router.PostAsJsonAsync("/invoke/saw", new { });
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            return answer.Headers.GetValues("X-Galaxy-Target").Single() == "saw-bad";
        });
    }

    [Fact]
    public async Task A_slow_answer_is_overtaken_by_another_target_and_the_slow_one_is_told_to_stop()
    {
        var slow = false;
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var first = await OutsideService.StartAsync("kiln-1");
        await using var second = await OutsideService.StartAsync("kiln-2");
        first.Answer = async context =>
        {
            if (!slow)
            {
                await OutsideService.SayAsync(context, "{}");
                return;
            }
            context.RequestAborted.Register(left.SetResult);
            await left.Task;
        };
        await first.RegisterAsync(galaxy.Http, "kiln", new { load = 0.0 });
        await second.RegisterAsync(galaxy.Http, "kiln", new { load = 0.5 });
        await KnownAsync("kiln", 2);
        using var router = galaxy.Client("router-b");
        // Enough for a percentile. On a busy machine one of these may itself be slower than the others: they stay
        // alone.
        for (var i = 0; i < 25; i++)
            (await router.PostAsJsonAsync("/invoke/kiln?idempotent=true&hedge=false", new { })).Dispose();
        Assert.Equal(0, second.Asked);

        slow = true;
        using var answer = await router.PostAsJsonAsync("/invoke/kiln?idempotent=true&timeout=15", new { });
        Assert.Equal(
            (HttpStatusCode.OK, "kiln-2", "2"),
            (
                answer.StatusCode,
                answer.Headers.GetValues("X-Galaxy-Target").Single(),
                answer.Headers.GetValues("X-Galaxy-Attempts").Single()
            )
        );
        await left.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Bodies_pass_through_piece_by_piece_in_both_directions()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await OutsideService.StartAsync("pipe");
        service.Answer = async context =>
        {
            using var received = new MemoryStream();
            await context.Request.Body.CopyToAsync(received);
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync(
                $"data: {received.Length} {context.Request.Path}{context.Request.QueryString}\n\n"
            );
            await context.Response.Body.FlushAsync();
            await go.Task.WaitAsync(TimeSpan.FromSeconds(20));
            await context.Response.WriteAsync("data: end\n\n");
        };
        await service.RegisterAsync(galaxy.Http, "pipe.flow", null, new { name = "pipe.flow", path = "/flow" });
        await KnownAsync("pipe.flow", 1);

        using var request = new HttpRequestMessage(HttpMethod.Post, "/invoke/pipe.flow?colour=blue")
        {
            Content = new StreamContent(new MemoryStream(new byte[8 * 1024 * 1024])),
        };
        request.Headers.TransferEncodingChunked = true;
        using var answer = await galaxy.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        // The second piece is not written before the first has arrived here.
        Assert.Equal($"data: {8 * 1024 * 1024} /flow?colour=blue", await reader.ReadLineAsync());
        go.SetResult();
        Assert.Contains("data: end", await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_does_it_also_when_the_leader_dies_meanwhile()
    {
        using var patient = new HttpClient
        {
            BaseAddress = galaxy.Http.BaseAddress,
            Timeout = TimeSpan.FromSeconds(60),
        };
        patient.DefaultRequestHeaders.Authorization = galaxy.Http.DefaultRequestHeaders.Authorization;
        var sleeping = patient.PostAsJsonAsync("/invoke/sleep?timeout=50", new { seconds = 4 });
        await Eventually.TrueAsync(async () =>
            (await GetAsync("/api/v1/tasks?state=running"))
                .AsArray()
                .Any(task => task!["action"]!.GetValue<string>() == "sleep")
        );

        galaxy.Host.Kill((await galaxy.LeaderAsync()).NodeId);

        using var slept = await sleeping;
        Assert.Equal(
            (HttpStatusCode.OK, 4),
            (slept.StatusCode, (await slept.Content.ReadFromJsonAsync<JsonNode>())!["slept_seconds"]!.GetValue<int>())
        );
        Assert.StartsWith("worker-", slept.Headers.GetValues("X-Galaxy-Target").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_that_leaves_and_a_deadline_that_passes_cancel_the_task()
    {
        using var leaving = new CancellationTokenSource();
        var asked = galaxy.Http.PostAsJsonAsync(
            "/invoke/sleep?labels=&exclude=worker-2",
            new { seconds = 599 },
            leaving.Token
        );
        string? id = null;
        await Eventually.TrueAsync(async () =>
            (
                id = (await GetAsync("/api/v1/tasks?state=running"))
                    .AsArray()
                    .FirstOrDefault(task => task!["params"]?["seconds"]?.GetValue<int>() == 599)
                    ?["task_id"]?.GetValue<string>()
            )
                is not null
        );
        Assert.Equal("worker-1", (await GetAsync("/api/v1/tasks/" + id))["device_id"]!.GetValue<string>());
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        Assert.Equal("cancelled", (await galaxy.FinishedAsync(id!)).State.ToString().ToLowerInvariant());

        // Nor does one stay behind whose caller leaves while it is being submitted.
        for (var i = 0; i < 20; i++)
        {
            using var soon = new CancellationTokenSource(i * 2);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                galaxy.Http.PostAsJsonAsync("/invoke/sleep", new { seconds = 597 }, soon.Token)
            );
        }
        await Eventually.TrueAsync(
            async () =>
                (await GetAsync("/api/v1/tasks"))
                    .AsArray()
                    .All(task =>
                        task!["params"]?["seconds"]?.GetValue<int>() != 597
                        || task["state"]!.GetValue<string>() == "cancelled"
                    ),
            10
        );

        using var late = await galaxy.Http.PostAsJsonAsync("/invoke/sleep?timeout=0.7", new { seconds = 598 });
        Assert.Equal(HttpStatusCode.GatewayTimeout, late.StatusCode);
        await Eventually.TrueAsync(async () =>
            (await GetAsync("/api/v1/tasks?state=running"))
                .AsArray()
                .All(task => task!["params"]?["seconds"]?.GetValue<int>() != 598)
        );

        using var failed = await galaxy.Http.PostAsJsonAsync(
            "/invoke/http.request",
            new { url = "http://127.0.0.1:9/" }
        );
        Assert.Equal(
            (HttpStatusCode.BadGateway, "Connection refused (127.0.0.1:9)"),
            (failed.StatusCode, (await failed.Content.ReadFromJsonAsync<JsonNode>())!["detail"]!.GetValue<string>())
        );
    }

    [Fact]
    public async Task Rules_of_the_configuration_are_in_force_at_once_and_a_wrong_one_is_refused()
    {
        await using var home = await OutsideService.StartAsync("oven-home");
        await using var cloud = await OutsideService.StartAsync("oven-cloud");
        await home.RegisterAsync(galaxy.Http, "bake", new { load = 0.9 });
        await cloud.RegisterAsync(galaxy.Http, "bake", new { load = 0.0 });
        await KnownAsync("bake", 2);
        Assert.Equal("oven-cloud", await ChosenAsync("/route/bake"));

        using var set = await galaxy.Http.PutAsJsonAsync(
            "/api/v1/config/router",
            new
            {
                rules = new[]
                {
                    new
                    {
                        name = "bread at home",
                        match = new { capability = "bake", model = "bread*" },
                        targets = new[] { "oven-h*" },
                        fallbacks = new[] { "oven-cloud" },
                    },
                },
            }
        );
        Assert.True(set.IsSuccessStatusCode, await set.Content.ReadAsStringAsync());
        await Eventually.TrueAsync(async () =>
            (await GetAsync("/route/bake?explain=true&model=bread-dark"))["rule"]?.GetValue<string>() == "bread at home"
        );
        await Eventually.TrueAsync(async () =>
            await ChosenAsync("/route/bake?model=bread-dark") == "oven-home"
            && await ChosenAsync("/route/bake?model=bread-dark") == "oven-home"
        );
        Assert.Equal("oven-cloud", await ChosenAsync("/route/bake?model=cake"));

        using var wrong = await galaxy.Http.PutAsJsonAsync(
            "/api/v1/config/router",
            new { rules = new[] { new { strategy = "best" } } }
        );
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Contains("strategy", await wrong.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await galaxy.Http.DeleteAsync("/nodes/oven-home");
        await KnownAsync("bake", 1);
        Assert.Equal("oven-cloud", await ChosenAsync("/route/bake?model=bread-dark"));
    }

    [Fact]
    public async Task Who_fails_the_health_check_gets_nothing()
    {
        await using var ill = await OutsideService.StartAsync("lamp-ill");
        ill.Health = HttpStatusCode.InternalServerError;
        await using var well = await OutsideService.StartAsync("lamp-well");
        await ill.RegisterAsync(galaxy.Http, "shine", new { load = 0.0 });
        await well.RegisterAsync(galaxy.Http, "shine", new { load = 0.9 });
        await KnownAsync("shine", 2);
        using var router = galaxy.Client("router-a");

        await Eventually.TrueAsync(async () =>
            (await router.GetFromJsonAsync<JsonNode>("/health-check"))!["nodes"]!
                .AsArray()
                .Single(node => node!["id"]!.GetValue<string>() == "lamp-ill")!["status"]!.GetValue<string>()
            == "unhealthy"
        );
        await Eventually.TrueAsync(async () =>
            (await router.GetFromJsonAsync<JsonNode>("/route/shine"))!["id"]!.GetValue<string>() == "lamp-well"
        );
        Assert.Equal(
            "it failed the health check",
            (await router.GetFromJsonAsync<JsonNode>("/route/shine?explain=true"))!["excluded"]![0]![
                "reason"
            ]!.GetValue<string>()
        );

        ill.Health = HttpStatusCode.OK;
        await router.GetAsync("/health-check");
        await Eventually.TrueAsync(async () =>
            (await router.GetFromJsonAsync<JsonNode>("/nodes/lamp-ill"))!["node"]!["status"]!.GetValue<string>()
            == "healthy"
        );
    }

    [Theory]
    [InlineData("POST", "/register", "{}", "'node_id' is required")]
    [InlineData("POST", "/register", """{"node_id":"x"}""", "'url'")]
    [InlineData("POST", "/register", """{"node_id":"x","url":"ftp://h"}""", "'url' is 'ftp://h'")]
    [InlineData("POST", "/register", """{"node_id":"x","url":"http://h","layer":"roof"}""", "'layer' is 'roof'")]
    [InlineData("POST", "/register", """{"node_id":"x","url":"http://h","load":2}""", "'load' must be 0 to 1")]
    [InlineData("POST", "/register", """{"node_id":"x","url":"http://h","load":"much"}""", "'load' must be a number")]
    [InlineData("POST", "/register", """{"node_id":"x","url":"http://h","status":"fine"}""", "'status' is 'fine'")]
    [InlineData(
        "POST",
        "/register",
        """{"node_id":"x","url":"http://h","capabilities":"paint"}""",
        "'capabilities' must be a list"
    )]
    [InlineData(
        "POST",
        "/register",
        """{"node_id":"x","url":"http://h","capabilities":["a",{"version":"2"}]}""",
        "'capabilities[1]'"
    )]
    [InlineData(
        "POST",
        "/register",
        """{"node_id":"x","url":"http://h","capabilities":[{"name":"a","path":"http://evil/"}]}""",
        "'capabilities[0].path'"
    )]
    [InlineData(
        "POST",
        "/register",
        """{"node_id":"x","url":"http://h","capabilities":[{"name":"a","method":"TRACE"}]}""",
        "'capabilities[0].method'"
    )]
    [InlineData(
        "POST",
        "/register",
        """{"node_id":"x","url":"http://h","capabilities":[{"name":"a","parameters":[1]}]}""",
        "'capabilities[0].parameters'"
    )]
    [InlineData("POST", "/register", """{"node_id":"x","url":"http://h","labels":{"a,b":"c"}}""", "'labels' has 'a,b'")]
    [InlineData(
        "POST",
        "/register",
        """{"node_id":"coordinator-a","url":"http://h"}""",
        "is the name of a part of the cluster"
    )]
    [InlineData("POST", "/register", """{"node_id":"x","url":"http://h","ttl_seconds":1e9}""", "'ttl_seconds'")]
    [InlineData("POST", "/register", "[1", "is not JSON")]
    [InlineData("POST", "/heartbeat", """{"node_id":"nobody"}""", "not registered")]
    [InlineData("POST", "/heartbeat", """{"node_id":"x","load":-1}""", "'load' must be 0 to 1")]
    [InlineData("DELETE", "/nodes/coordinator-a", null, "leaves when it is stopped")]
    [InlineData("DELETE", "/nodes/nobody", null, "is not registered")]
    [InlineData("GET", "/nodes/nobody", null, "There is no node")]
    [InlineData("GET", "/nodes?layer=roof", null, "'layer' is 'roof'")]
    [InlineData("GET", "/route/echo?strategy=best", null, "'strategy' is 'best'")]
    [InlineData("GET", "/route/echo?strategy=random&strategy=random", null, "'strategy' is given more than once")]
    [InlineData("GET", "/route/echo?labels==x", null, "'labels' is wrong")]
    [InlineData("GET", "/route/echo?explain=maybe", null, "'explain' is 'maybe'")]
    [InlineData("GET", "/route/nothing", null, "Nobody offers 'nothing'")]
    [InlineData("GET", "/route/echo?exclude=worker-1,worker-2", null, "worker-1: excluded by the caller")]
    [InlineData("POST", "/invoke/echo?timeout=-1", "{}", "'timeout' is '-1'")]
    [InlineData("POST", "/invoke/echo?idempotent=perhaps", "{}", "'idempotent' is 'perhaps'")]
    [InlineData("POST", "/invoke/echo", "{not json", "The body must be JSON")]
    [InlineData("POST", "/invoke/nothing", "{}", "Nobody offers 'nothing'")]
    [InlineData("POST", "/tools/invoke", "{}", "'tool' is required")]
    [InlineData("POST", "/tools/execute", """{"tool":"echo","arguments":[1]}""", "'arguments' must be an object")]
    [InlineData("POST", "/mcp/call", """{"tool":"nothing"}""", "There is no tool 'nothing'")]
    [InlineData("POST", "/tools/invoke", """{"tool":"echo","timeout":0}""", "'timeout' must be seconds")]
    [InlineData("POST", "/tools/discover", """{"limit":0}""", "'limit' must be")]
    public async Task What_cannot_be_done_is_said_with_the_field(
        string method,
        string path,
        string? body,
        string complaint
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using var answer = await galaxy.Http.SendAsync(request);

        Assert.InRange((int)answer.StatusCode, 400, 499);
        Assert.Contains(
            complaint,
            (await answer.Content.ReadFromJsonAsync<JsonNode>())!["detail"]!.GetValue<string>(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Huge_and_deep_bodies_are_refused_and_the_router_lives()
    {
        using var huge = await galaxy.Http.PostAsync(
            "/invoke/echo",
            new StringContent($"\"{new string('x', 3 * 1024 * 1024)}\"", Encoding.UTF8, "application/json")
        );
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, huge.StatusCode);
        var deep = string.Concat(Enumerable.Repeat("[", 10_000)) + string.Concat(Enumerable.Repeat("]", 10_000));
        foreach (var path in (string[])["/register", "/tools/invoke", "/invoke/echo"])
        {
            using var answer = await galaxy.Http.PostAsync(
                path,
                new StringContent(deep, Encoding.UTF8, "application/json")
            );
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        }
        Assert.NotNull(await ChosenAsync("/route/echo"));
    }

    [Fact]
    public async Task Tools_are_found_by_words_and_called_by_name()
    {
        using var found = await galaxy.Http.PostAsJsonAsync("/tools/discover", new { query = "language MODEL" });
        Assert.Equal(
            "llm.chat",
            (await found.Content.ReadFromJsonAsync<JsonNode>())!["tools"]![0]!["capability"]!.GetValue<string>()
        );
        using var called = await galaxy.Http.PostAsJsonAsync(
            "/mcp/call",
            new
            {
                tool = "echo",
                arguments = new { n = 5 },
                node_id = "worker-2",
            }
        );
        var result = await called.Content.ReadFromJsonAsync<JsonNode>();
        Assert.Equal(
            (true, "worker-2", 5),
            (
                result!["success"]!.GetValue<bool>(),
                result["node_id"]!.GetValue<string>(),
                result["result"]!["n"]!.GetValue<int>()
            )
        );
        using var submitted = await galaxy.Http.PostAsJsonAsync(
            "/tools/execute",
            new { tool = "tasks.submit", arguments = new { action = "echo", @params = new { n = 6 } } }
        );
        var task = (await submitted.Content.ReadFromJsonAsync<JsonNode>())!["result"]!["task_id"]!.GetValue<string>();
        Assert.Equal(6, (await galaxy.FinishedAsync(task)).Result!.Value.GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task The_examples_of_its_document_are_accepted()
    {
        var document = await GetAsync("/openapi/router.json");
        var tried = 0;
        foreach (var (path, operations) in document["paths"]!.AsObject())
        {
            if (operations!["post"]?["requestBody"]?["content"]?["application/json"]?["example"] is not { } example)
                continue;
            using var answer = await galaxy.Http.PostAsJsonAsync(path, example);
            // A heartbeat of somebody who is not registered everywhere yet is no mistake of the body.
            Assert.True(
                answer.IsSuccessStatusCode || (path == "/heartbeat" && answer.StatusCode == HttpStatusCode.NotFound),
                $"{path}: {await answer.Content.ReadAsStringAsync()}"
            );
            tried++;
        }
        Assert.Equal(6, tried);
        await galaxy.Http.DeleteAsync("/nodes/painter");
    }
}
