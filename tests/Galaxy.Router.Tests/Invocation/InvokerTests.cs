using System.Text;
using Galaxy.Core.Routing;
using Galaxy.Router.Invocation;
using Galaxy.Router.Tests.Lab;
using Microsoft.AspNetCore.Http;

namespace Galaxy.Router.Tests.Invocation;

public sealed class InvokerTests
{
    private static InvokeRequest Request(bool isSafe = false, bool hedge = false, string body = "{}") =>
        new(
            new RouteQuery("echo"),
            RequestBody.Json(Encoding.UTF8.GetBytes(body)),
            TimeSpan.FromSeconds(30),
            isSafe,
            hedge
        );

    private static Task<InvokeOutcome> InvokeAsync(OneRouter router, InvokeRequest invoke) =>
        router.Get<Invoker>().InvokeAsync(invoke, default);

    [Fact]
    public async Task What_failed_is_done_again_by_another_only_where_twice_is_as_good_as_once()
    {
        await using var ill = await OneService.StartAsync(500);
        await using var well = await OneService.StartAsync(200);
        await using var router = await OneRouter.StartAsync(ill.As("ill"), well.As("well", load: 0.5));

        var once = Assert.IsType<InvokeFailed>(await InvokeAsync(router, Request()));
        Assert.Equal((500, "ill", 1, true), (once.Status, once.TargetId, once.Attempts, once.MayHaveRun));
        Assert.Empty(well.Asked);

        var safe = Assert.IsType<ServiceAnswered>(await InvokeAsync(router, Request(isSafe: true)));
        Assert.Equal(("well", 2), (safe.Id, safe.Attempts));
    }

    [Fact]
    public async Task What_never_got_there_is_always_done_by_another()
    {
        await using var well = await OneService.StartAsync(200);
        await using var router = await OneRouter.StartAsync(
            OneService.At("gone", OneService.Nowhere()),
            well.As("well", load: 0.5)
        );

        var outcome = Assert.IsType<ServiceAnswered>(await InvokeAsync(router, Request()));

        Assert.Equal(("well", 2), (outcome.Id, outcome.Attempts));
    }

    [Fact]
    public async Task Who_is_too_busy_is_passed_by_and_is_not_ill()
    {
        await using var busy = await OneService.StartAsync(429);
        await using var well = await OneService.StartAsync(200);
        await using var router = await OneRouter.StartAsync(busy.As("busy"), well.As("well", load: 0.5));

        for (var i = 0; i < 6; i++)
            Assert.Equal("well", (await InvokeAsync(router, Request())).TargetId);

        Assert.Equal(6, busy.Asked.Count);
        Assert.Equal(BreakerState.Closed, router.Table.State("busy")!.Breaker.StateAt(router.Table.Now));
    }

    [Fact]
    public async Task Three_are_tried_and_the_last_answer_is_told()
    {
        await using var ill = await OneService.StartAsync(503, "no");
        await using var router = await OneRouter.StartAsync([
            .. Enumerable.Range(0, 5).Select(i => ill.As($"ill-{i}", load: i / 10.0)),
        ]);

        var failed = Assert.IsType<InvokeFailed>(await InvokeAsync(router, Request(isSafe: true)));

        Assert.Equal((3, 3, "ill-2"), (failed.Attempts, ill.Asked.Count, failed.TargetId));
        Assert.Equal("no", await failed.Response!.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Who_is_excluded_by_the_caller_is_no_attempt()
    {
        await using var well = await OneService.StartAsync(200);
        await using var router = await OneRouter.StartAsync(well.As("a"), well.As("b", load: 0.5));
        var request = Request() with { Query = new RouteQuery("echo") { Exclude = ["a"] } };

        var outcome = await InvokeAsync(router, request);

        Assert.Equal(("b", 1), (outcome.TargetId, outcome.Attempts));
    }

    [Fact]
    public async Task A_service_that_does_not_answer_in_time_may_have_done_it()
    {
        var reached = new TaskCompletionSource();
        await using var slow = await OneService.StartAsync(async context =>
        {
            reached.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        await using var router = await OneRouter.StartAsync(slow.As("slow"));

        var invoked = InvokeAsync(router, Request());
        await reached.Task.WaitAsync(OneRouter.Patience);
        router.Time.Advance(TimeSpan.FromSeconds(30));

        var failed = Assert.IsType<InvokeFailed>(await invoked);
        Assert.Equal((504, true), (failed.Status, failed.MayHaveRun));
        Assert.Contains("no answer within 30 s", failed.Detail, StringComparison.Ordinal);
        Assert.Equal(0, router.Table.State("slow")!.InFlight);
    }

    [Fact]
    public async Task A_caller_who_leaves_counts_against_nobody()
    {
        var reached = new SemaphoreSlim(0);
        await using var slow = await OneService.StartAsync(async context =>
        {
            reached.Release();
            await Task.Delay(Timeout.Infinite, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        await using var router = await OneRouter.StartAsync(slow.As("slow"));

        for (var i = 0; i < 6; i++)
        {
            using var caller = new CancellationTokenSource();
            var invoked = router.Get<Invoker>().InvokeAsync(Request(), caller.Token);
            Assert.True(await reached.WaitAsync(OneRouter.Patience));
            await caller.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => invoked);
        }

        var state = router.Table.State("slow")!;
        Assert.Equal((BreakerState.Closed, 0), (state.Breaker.StateAt(router.Table.Now), state.InFlight));
    }

    [Fact]
    public async Task When_the_first_is_slow_a_second_is_asked_and_the_first_is_given_up()
    {
        var givenUp = new TaskCompletionSource();
        await using var slow = await OneService.StartAsync(async context =>
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            givenUp.TrySetResult();
        });
        await using var quick = await OneService.StartAsync(200);
        await using var router = await OneRouter.StartAsync(slow.As("slow"), quick.As("quick", load: 0.5));
        for (var i = 0; i < 20; i++)
            router.Get<InvokeLatencies>().Of("echo").Add(100);

        var outcome = await router.MoveUntilAsync(
            InvokeAsync(router, Request(isSafe: true, hedge: true)),
            TimeSpan.FromMilliseconds(50)
        );

        Assert.Equal(("quick", 2), (Assert.IsType<ServiceAnswered>(outcome).Id, outcome.Attempts));
        // Not when its time was over.
        Assert.True(router.Table.Now < TimeSpan.FromSeconds(15));
        await givenUp.Task.WaitAsync(OneRouter.Patience);
        Assert.Equal(0, router.Table.State("slow")!.InFlight);
    }

    [Fact]
    public async Task Failures_are_repeated_for_a_share_of_the_requests_only()
    {
        await using var ill = await OneService.StartAsync(429);
        await using var router = await OneRouter.StartAsync(ill.As("a"), ill.As("b", load: 0.5));

        for (var i = 0; i < 50; i++)
            await InvokeAsync(router, Request());

        // Ten are there at first, and a fifth of the requests earns one each.
        Assert.InRange(ill.Asked.Count, 50 + 15, 50 + 20);
    }

    [Fact]
    public async Task A_failure_of_the_only_one_there_is_leaves_the_repetitions_to_others()
    {
        await using var ill = await OneService.StartAsync(429);
        await using var router = await OneRouter.StartAsync(ill.As("alone"));

        for (var i = 0; i < 20; i++)
            await InvokeAsync(router, Request());

        Assert.Equal(20, ill.Asked.Count);
        var left = router.Get<InvokeLatencies>().Retries;
        Assert.All(Enumerable.Range(0, 10), _ => Assert.True(left.TrySpend(router.Table.Now)));
    }

    [Fact]
    public async Task Keys_and_cookies_of_the_caller_stay_here_and_other_headers_go_along()
    {
        await using var service = await OneService.StartAsync(200);
        await using var router = await OneRouter.StartAsync(service.As("external"), service.As("ours", 0.5, "oneapi"));
        var headers = new HeaderDictionary
        {
            ["Authorization"] = "Bearer of-the-caller",
            ["X-API-Key"] = "of-the-caller",
            ["Cookie"] = "of-the-caller",
            ["X-Other"] = "kept",
        };

        await InvokeAsync(router, Request() with { Headers = headers });
        await InvokeAsync(
            router,
            Request() with
            {
                Headers = headers,
                Query = new("echo") { Only = "ours" },
            }
        );

        Assert.All(service.Asked, asked => Assert.Equal("kept", asked.Headers["X-Other"]));
        Assert.All(service.Asked, asked =>
            Assert.DoesNotContain("of-the-caller", string.Join(' ', asked.Headers.Values))
        );
        // Only a part of the cluster is shown who asks.
        Assert.Equal([0, 1], service.Asked.Select(asked => asked.Headers.Authorization.Count));
    }

    [Theory]
    [InlineData("""{"a":"x y","n":1.50,"b":true,"none":null,"list":[1]}""", "?q=1", "?q=1&a=x%20y&n=1.50&b=true")]
    [InlineData("""{"none":null}""", "", "")]
    [InlineData("no JSON", "?q=1", "?q=1")]
    [InlineData("[1]", "", "")]
    public async Task What_is_asked_by_get_has_its_parameters_in_the_query(string body, string query, string asked)
    {
        await using var service = await OneService.StartAsync(200);
        var offer = service.As("s");
        (offer.Capabilities[0].Method, offer.Capabilities[0].Path) = ("GET", "/read");
        await using var router = await OneRouter.StartAsync(offer);

        await InvokeAsync(router, Request(body: body) with { TargetQuery = query });

        Assert.Equal(
            ("GET", "/read", asked, ""),
            service.Asked.Select(a => (a.Method, a.Path, a.Query, a.Body)).Single()
        );
    }
}
