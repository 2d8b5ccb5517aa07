using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace Galaxy.EndToEnd.Tests.Console;

/// <summary>
/// Every page, in light and dark, wide and narrow, in both languages: it opens, fits, and can be used by everybody.
/// </summary>
[Collection("system")]
public sealed class PagesTests(RunningGalaxy galaxy, Browser browser)
    : IClassFixture<RunningGalaxy>,
        IClassFixture<Browser>
{
    public static (string Path, string Title, string Chinese)[] All { get; } =
    [
        ("/", "Overview", "概览"),
        ("/ui/nodes", "Nodes", "节点"),
        ("/ui/failovers", "Failovers", "故障转移"),
        ("/ui/devices", "Devices", "设备"),
        ("/ui/devices/worker-1", "worker-1", "worker-1"),
        ("/ui/tasks", "Tasks", "任务"),
        ("/ui/models", "Models", "模型"),
        ("/ui/state", "State", "状态"),
        ("/ui/state?tab=conflicts", "State", "状态"),
        ("/ui/state?tab=versions", "State", "状态"),
        ("/ui/state?tab=snapshots", "State", "状态"),
        ("/ui/state?tab=aside", "State", "状态"),
        ("/ui/configuration?document=providers", "Configuration", "配置"),
        ("/ui/traces", "Traces", "链路"),
        ("/ui/logs", "Logs", "日志"),
        ("/ui/metrics", "Metrics", "指标"),
        ("/ui/resources", "Resources", "资源"),
    ];

    private string Address(string path) => new Uri(galaxy.Host.Url("gateway", "ui"), path).ToString();

    private static string NameOf(string path) =>
        path == "/"
            ? "overview"
            : path.Replace("/ui/", "", StringComparison.Ordinal)
                .Replace('/', '-')
                .Replace("?tab=", "-", StringComparison.Ordinal)
                .Split('?')[0];

    // Something to see on every page.
    private async Task FillAsync()
    {
        var task = await galaxy.SubmitAsync(
            new
            {
                name = "hello",
                action = "echo",
                @params = new { text = "hello" },
                tags = new[] { "tour" },
            }
        );
        await galaxy.FinishedAsync(task);
        using var chat = await galaxy.Http.PostAsJsonAsync(
            "/v1/chat/completions",
            new { model = "galaxy/echo", messages = new[] { new { role = "user", content = "hello" } } }
        );
        chat.EnsureSuccessStatusCode();
        using var snapshot = await galaxy.Http.PostAsync("/api/v1/state/snapshots", null);
        using var group = await galaxy.Http.PostAsJsonAsync(
            "/api/v1/groups",
            new
            {
                group_id = "living-room",
                name = "Living room",
                devices = new[] { "worker-1", "worker-2" },
            }
        );
        using var entry = await galaxy.Http.PutAsJsonAsync("/api/v1/state/notes/tour", new { said = "hello" });
        using var config = await galaxy.Http.PutAsJsonAsync(
            "/api/v1/config/providers",
            new { attic = new { base_url = "http://127.0.0.1:9/v1", api_key = "sk-never-to-be-shown-7f3a" } }
        );
        config.EnsureSuccessStatusCode();
        await Eventually.TrueAsync(async () =>
            (await galaxy.Http.GetFromJsonAsync<JsonArray>("/api/v1/metrics"))!.Count > 5
            && (await galaxy.Http.GetFromJsonAsync<JsonArray>("/api/v1/logs"))!.Count > 0
        );
    }

    [Theory]
    [InlineData(1360, ColorScheme.Light, "light", "en")]
    [InlineData(1360, ColorScheme.Dark, "dark", "en")]
    [InlineData(390, ColorScheme.Light, "narrow", "en")]
    [InlineData(1360, ColorScheme.Light, "chinese", "zh-CN")]
    public async Task Every_page_opens_without_an_error_fits_and_can_be_used_by_everybody(
        int width,
        ColorScheme scheme,
        string name,
        string language
    )
    {
        await FillAsync();
        var page = await browser.OpenAsync(width, 900, scheme, language);
        var errors = new List<string>();
        page.PageError += (_, error) => errors.Add(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
                errors.Add(message.Text);
        };
        await page.GotoAsync(Address(galaxy.SignInPath));
        List<string> wrong = [];
        foreach (var (path, title, chinese) in All)
        {
            await page.GotoAsync(Address(path));
            await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync(language == "en" ? title : chinese);
            await LiveAsync(page);
            await Browser.PictureAsync(page, $"{NameOf(path)}-{name}");
            if (!await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= window.innerWidth"))
                wrong.Add($"{path} is wider than the window");
            foreach (var finding in await Axe.FindingsAsync(page))
                wrong.Add($"{path}: {finding}");
            var secrets = await page.ContentAsync();
            if (
                secrets.Contains(galaxy.Key, StringComparison.Ordinal)
                || secrets.Contains("sk-never-to-be-shown", StringComparison.Ordinal)
            )
                wrong.Add($"{path} shows a secret");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Empty(errors);
    }

    /// <summary>Waits until the page is connected and has drawn what it was sent.</summary>
    internal static async Task LiveAsync(IPage page)
    {
        await page.WaitForLoadStateAsync(LoadState.Load);
        await page.WaitForFunctionAsync("document.querySelector('.shell[data-live=true]') !== null");
        await page.WaitForFunctionAsync(
            "!document.querySelector('.sky') || document.querySelector('.sky canvas').sky?.stars.length > 0"
        );
        await page.EvaluateAsync("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
    }
}
