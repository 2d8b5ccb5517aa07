using Galaxy.Contracts.Api;
using Microsoft.Playwright;

namespace Galaxy.EndToEnd.Tests.Console;

/// <summary>The console as a person sees it.</summary>
[Collection("system")]
public sealed class ConsoleTests(RunningGalaxy galaxy, Browser browser) : IClassFixture<RunningGalaxy>, IClassFixture<Browser>
{
    private string Address(string path = "/") => new Uri(galaxy.Host.Url("gateway", "ui"), path).ToString();

    private Task SignInAsync(IPage page) => page.GotoAsync(Address("/sign-in/link?key=" + galaxy.Key));

    [Fact]
    public async Task The_key_signs_in_and_a_wrong_one_is_told_so()
    {
        var page = await browser.OpenAsync();
        await page.GotoAsync(Address());
        await page.WaitForURLAsync("**/sign-in*");
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
        await failovers.GotoAsync(Address("/failovers"));
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

        await failovers.Locator("article.failover").First.GetByRole(AriaRole.Link, new() { Name = "trace" }).ClickAsync();
        await Assertions.Expect(failovers.Locator(".waterfall")).ToContainTextAsync("galaxy.failover");
        await Assertions.Expect(failovers.Locator(".waterfall")).ToContainTextAsync("gateway switch");
        await Browser.PictureAsync(failovers, "trace");
    }

    /// <summary>Waits until the page names the leader that the API names, with a token above the given one.</summary>
    private async Task<LeaderResponse> LeaderOnPageAsync(IPage page, long above) => (await Eventually.NotNullAsync(async () =>
    {
        var leader = await galaxy.LeaderAsync();
        return leader.Token > above && await page.GetByText($"{leader.NodeId} leads").IsVisibleAsync() ? leader : null;
    }))!;

    [Theory]
    [InlineData(1280, ColorScheme.Light, "light")]
    [InlineData(1280, ColorScheme.Dark, "dark")]
    [InlineData(390, ColorScheme.Light, "narrow")]
    public async Task Every_page_opens_without_an_error_and_without_sideways_scrolling(int width, ColorScheme scheme, string name)
    {
        var page = await browser.OpenAsync(width, 900, scheme);
        var errors = new List<string>();
        page.PageError += (_, error) => errors.Add(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
                errors.Add(message.Text);
        };
        await SignInAsync(page);
        foreach (var (path, title) in new[] { ("/", "Overview"), ("/failovers", "Failovers"), ("/traces", "Traces") })
        {
            await page.GotoAsync(Address(path));
            await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync(title);
            await page.WaitForLoadStateAsync(LoadState.Load);
            await Browser.PictureAsync(page, $"{title.ToLowerInvariant()}-{name}");
            Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= window.innerWidth"), $"{path} is wider than the window");
        }
        Assert.Empty(errors);
    }
}
