using Galaxy.Contracts.Api;
using Microsoft.Playwright;

namespace Galaxy.EndToEnd.Tests.Console;

/// <summary>The console as a person sees it.</summary>
[Collection("system")]
public sealed class ConsoleTests(RunningGalaxy galaxy, Browser browser)
    : IClassFixture<RunningGalaxy>,
        IClassFixture<Browser>
{
    private string Address(string path = "/") => new Uri(galaxy.Host.Url("gateway", "ui"), path).ToString();

    private Task SignInAsync(IPage page) => page.GotoAsync(Address(galaxy.SignInPath));

    [Fact]
    public async Task The_key_signs_in_and_a_wrong_one_is_told_so()
    {
        var page = await browser.OpenAsync();
        await page.GotoAsync(Address());
        // At the address that was typed, for no other can be reached from elsewhere.
        await page.WaitForURLAsync(Address("/sign-in") + "*");
        await Browser.PictureAsync(page, "sign-in");
        await page.FillAsync("#key", "not the key");
        await page.ClickAsync("button[type=submit]");
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not this cluster's key");

        await page.FillAsync("#key", galaxy.Key);
        await page.ClickAsync("button[type=submit]");

        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Overview");
        Assert.DoesNotContain(galaxy.Key, page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_the_leader_is_killed_open_pages_show_the_new_one_and_the_record_without_a_reload()
    {
        var overview = await browser.OpenAsync();
        await SignInAsync(overview);
        var failovers = await overview.Context.NewPageAsync();
        await failovers.GotoAsync(Address("/ui/failovers"));
        var old = await LeaderOnPageAsync(overview, above: 0);
        await Assertions.Expect(failovers.GetByText($"→ {old.NodeId}").First).ToBeVisibleAsync();
        // A reload would lose this mark.
        foreach (var page in new[] { overview, failovers })
            await page.EvaluateAsync("window.sameDocument = true");

        galaxy.Host.Kill(old.NodeId);

        await LeaderOnPageAsync(overview, above: old.Token);
        await Assertions.Expect(failovers.GetByText($"{old.NodeId} →").First).ToBeVisibleAsync();
        foreach (var page in new[] { overview, failovers })
            Assert.True(await page.EvaluateAsync<bool>("window.sameDocument === true"));
        await Browser.PictureAsync(overview, "overview-after-failover");
        await Browser.PictureAsync(failovers, "failovers");

        await failovers
            .Locator("article.failover")
            .First.GetByRole(AriaRole.Link, new() { Name = "trace" })
            .ClickAsync();
        await Assertions.Expect(failovers.Locator(".waterfall")).ToContainTextAsync("galaxy.failover");
        await Assertions.Expect(failovers.Locator(".waterfall")).ToContainTextAsync("gateway switch");
        await Browser.PictureAsync(failovers, "trace");
    }

    [Fact]
    public async Task Who_wants_no_motion_sees_the_constellation_also_in_a_window_of_another_size()
    {
        var page = await browser.OpenAsync();
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ReducedMotion = ReducedMotion.Reduce });
        await SignInAsync(page);
        await Eventually.TrueAsync(() => IsDrawnAsync(page));
        var width = await WidthAsync();

        await page.SetViewportSizeAsync(1000, 800);
        await Eventually.TrueAsync(async () => await WidthAsync() != width);
        Assert.True(await IsDrawnAsync(page));

        Task<int> WidthAsync() => page.EvaluateAsync<int>("document.querySelector('.sky canvas').width");
    }

    private static Task<bool> IsDrawnAsync(IPage page) =>
        page.EvaluateAsync<bool>(
            """
            () => { const sky = document.querySelector('.sky canvas'); return sky.getContext('2d').getImageData(0, 0, sky.width, sky.height).data.some(value => value > 0); }
            """
        );

    /// <summary>Waits until the page names the leader that the API names, with a token above the given one.</summary>
    private async Task<LeaderResponse> LeaderOnPageAsync(IPage page, long above) =>
        (
            await Eventually.NotNullAsync(async () =>
            {
                var leader = await galaxy.LeaderAsync();
                return leader.Token > above && await page.GetByText($"{leader.NodeId} leads").IsVisibleAsync()
                    ? leader
                    : null;
            })
        )!;
}
