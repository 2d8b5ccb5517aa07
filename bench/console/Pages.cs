using Microsoft.Playwright;

namespace Galaxy.Bench.Console;

internal sealed record SkyResult(double DrawnMs, double OpenedMs, double FramesPerSecond);

internal sealed record WaterfallResult(double OpenedMs, double FramesPerSecond);

/// <summary>Debian's Chromium on the console's pages. Times are taken in the page, by its own clock.</summary>
internal sealed class Pages : IAsyncDisposable
{
    private const string Live = "document.querySelector('.shell[data-live=true]') !== null";
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly IPage _page;
    private readonly RunningSystem _galaxy;

    private Pages(IPlaywright playwright, IBrowser browser, IPage page, RunningSystem galaxy) =>
        (_playwright, _browser, _page, _galaxy) = (playwright, browser, page, galaxy);

    public static async Task<Pages> StartAsync(RunningSystem galaxy)
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions
            {
                ExecutablePath = "/usr/bin/chromium",
                Args = ["--no-sandbox", "--disable-gpu"],
            }
        );
        var page = await browser.NewPageAsync(
            new BrowserNewPageOptions
            {
                ViewportSize = new ViewportSize { Width = 1360, Height = 900 },
            }
        );
        await page.GotoAsync(galaxy.SignInPage);
        return new Pages(playwright, browser, page, galaxy);
    }

    private async Task OpenAsync(string path)
    {
        await _page.GotoAsync(_galaxy.Page(path));
        await _page.WaitForFunctionAsync(Live);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    public async Task<IReadOnlyList<(string Path, double Ms)>> PaintsAsync(int rounds)
    {
        List<(string, double)> results = [];
        foreach (
            var path in new[]
            {
                "/",
                "/ui/nodes",
                "/ui/failovers",
                "/ui/devices",
                "/ui/tasks",
                "/ui/models",
                "/ui/state",
                "/ui/configuration",
                "/ui/traces",
                "/ui/logs",
                "/ui/metrics",
                "/ui/resources",
            }
        )
        {
            List<double> times = [];
            for (var i = 0; i < rounds; i++)
            {
                await OpenAsync(path);
                times.Add(
                    await _page.EvaluateAsync<double>(
                        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"
                    )
                );
            }
            results.Add((path, Median(times)));
        }
        return results;
    }

    /// <summary>Frames that the browser makes in five seconds, per second.</summary>
    private Task<double> FramesAsync(string meanwhile = "") =>
        _page.EvaluateAsync<double>(
            $$"""
            () => new Promise(done => {
              let frames = 0; const began = performance.now();
              const turn = () => { frames++; {{meanwhile}} const took = performance.now() - began; took < 5000 ? requestAnimationFrame(turn) : done(frames * 1000 / took); };
              requestAnimationFrame(turn);
            })
            """
        );

    public async Task<SkyResult> ConstellationAsync(Crowd crowd, int rounds)
    {
        List<double> drawn = [],
            opened = [];
        for (var i = 0; i < rounds; i++)
        {
            await OpenAsync("/ui/nodes");
            // From the click to the first frame of a picture that has everybody.
            opened.Add(
                await _page.EvaluateAsync<double>(
                    $$"""
                    () => new Promise(done => {
                      const began = performance.now();
                      document.querySelector('nav a[href="/"]').click();
                      const look = () => { const sky = document.querySelector('.sky canvas')?.sky; sky?.stars?.length >= {{crowd.Count}} ? requestAnimationFrame(() => done(performance.now() - began)) : requestAnimationFrame(look); };
                      look();
                    })
                    """
                )
            );
            drawn.Add(await _page.EvaluateAsync<double>("document.querySelector('.sky canvas').sky.shownMs"));
        }
        return new SkyResult(Median(drawn), Median(opened), await FramesAsync());
    }

    public async Task<WaterfallResult> WaterfallAsync(RunningSystem galaxy, string trace, int spans, int rounds)
    {
        List<double> opened = [];
        for (var i = 0; i < rounds; i++)
        {
            await OpenAsync("/ui/traces");
            await _page.Locator("input[type=number]").FillAsync("1");
            await _page.Locator("label", new() { HasText = "Service" }).Locator("select").SelectOptionAsync("big");
            await _page.WaitForSelectorAsync($"a[href='/ui/traces/{trace}']");
            opened.Add(
                await _page.EvaluateAsync<double>(
                    $$"""
                    () => new Promise(done => {
                      const began = performance.now();
                      document.querySelector("a[href='/ui/traces/{{trace}}']").click();
                      const look = () => document.querySelectorAll('.waterfall .row').length > 10 ? requestAnimationFrame(() => done(performance.now() - began)) : requestAnimationFrame(look);
                      look();
                    })
                    """
                )
            );
        }
        using var end = new CancellationTokenSource();
        var adding = Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                await Exports.AddAsync(galaxy, trace, 20);
                await Task.Delay(100);
            }
        });
        var frames = await FramesAsync("document.querySelector('.waterfall').scrollTop += 30;");
        await end.CancelAsync();
        await adding;
        return new WaterfallResult(Median(opened), frames);
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
