using Microsoft.Playwright;

namespace Galaxy.EndToEnd.Tests.Console;

/// <summary>Debian's Chromium, driven by Playwright.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Places =
    [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ];
    private const int PatienceMs = 20_000;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    private static string? Program { get; } = Array.Find(Places, File.Exists);

    /// <summary>Where screenshots go.</summary>
    public static string Pictures { get; } = Path.Combine(AppContext.BaseDirectory, "TestResults", "screenshots");

    public async ValueTask InitializeAsync()
    {
        if (Program is null)
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = Program, Args = ["--no-sandbox", "--disable-gpu"] }
        );
    }

    /// <summary>A page of a new session.</summary>
    public async Task<IPage> OpenAsync(
        int width = 1280,
        int height = 900,
        ColorScheme scheme = ColorScheme.Light,
        string language = "en"
    )
    {
        if (_browser is null)
            Assert.Skip("Chromium is not installed: install the package chromium to run this test.");
        var page = await (
            await _browser.NewContextAsync(
                new BrowserNewContextOptions
                {
                    ViewportSize = new ViewportSize { Width = width, Height = height },
                    ColorScheme = scheme,
                    Locale = language,
                    TimezoneId = "Europe/Berlin",
                }
            )
        ).NewPageAsync();
        page.SetDefaultTimeout(PatienceMs);
        Assertions.SetDefaultExpectTimeout(PatienceMs);
        return page;
    }

    public static Task PictureAsync(IPage page, string name) =>
        page.ScreenshotAsync(
            new PageScreenshotOptions { Path = Path.Combine(Pictures, name + ".png"), FullPage = true }
        );

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}
