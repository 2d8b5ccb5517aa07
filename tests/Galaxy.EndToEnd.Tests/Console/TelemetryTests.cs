using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace Galaxy.EndToEnd.Tests.Console;

/// <summary>Programs that know nothing of Galaxy send what any OpenTelemetry SDK sends, and it shows.</summary>
[Collection("shared system")]
public sealed class TelemetryTests(RunningGalaxy galaxy, Browser browser) : IClassFixture<Browser>
{
    private string Address(string path) => new Uri(galaxy.Host.Url("gateway", "ui"), path).ToString();

    /// <summary>OpenTelemetry's SDK for Node with its own exporters; returns the id of its trace.</summary>
    private async Task<string> RunShopAsync(string protocol, string service)
    {
        var folder = await Axe.FolderAsync();
        var info = new ProcessStartInfo("node", ["shop.mjs"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (
            var (name, value) in new Dictionary<string, string>
            {
                ["OTEL_SERVICE_NAME"] = service,
                ["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol,
                ["OTEL_EXPORTER_OTLP_COMPRESSION"] = "gzip",
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = galaxy
                    .Host.Url("console", protocol == "grpc" ? "otlp-grpc" : "otlp-http")
                    .ToString()
                    .TrimEnd('/'),
                ["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=Bearer%20" + galaxy.Key,
                ["OTEL_TRACES_EXPORTER"] = "otlp",
                ["OTEL_LOGS_EXPORTER"] = "otlp",
                ["OTEL_METRICS_EXPORTER"] = "otlp",
                ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
                ["OTEL_METRIC_EXPORT_TIMEOUT"] = "400",
            }
        )
            info.Environment[name] = value;
        using var shop = Process.Start(info)!;
        var output = shop.StandardOutput.ReadToEndAsync();
        await shop.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(shop.ExitCode == 0, await shop.StandardError.ReadToEndAsync());
        return (await output).Trim();
    }

    [Theory]
    [InlineData("grpc")]
    [InlineData("http/protobuf")]
    [InlineData("http/json")]
    public async Task Traces_logs_and_metrics_of_another_sdk_show_and_belong_together(string protocol)
    {
        var service = "shop-" + protocol.Replace('/', '-');
        var trace = await RunShopAsync(protocol, service);

        var page = await browser.OpenAsync(1360);
        await page.GotoAsync(Address(galaxy.SignInPath));
        await page.GotoAsync(Address("/ui/traces"));
        await PagesTests.LiveAsync(page);
        await page.GetByLabel("Service").SelectOptionAsync(service);
        // The traces of the other services stand until the answer is there.
        var checkout = page.GetByRole(AriaRole.Link, new() { Name = "checkout" });
        await Assertions.Expect(checkout).ToHaveCountAsync(1);
        await checkout.ClickAsync();
        await Assertions.Expect(page.Locator(".waterfall .row")).ToHaveCountAsync(2);
        await page.GetByRole(AriaRole.Button, new() { Name = "pay" }).ClickAsync();
        await Assertions.Expect(page.Locator(".detail")).ToContainTextAsync("the card was refused");
        await Assertions.Expect(page.Locator(".detail")).ToContainTextAsync("exception.stacktrace");
        await Browser.PictureAsync(page, "story-trace-" + service);
        await page.GetByRole(AriaRole.Link, new() { Name = "1 log records" }).ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Logs");
        await Assertions.Expect(page.Locator(".logs tbody tr")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator(".logs tbody tr")).ToContainTextAsync("payment failed");

        await page.GotoAsync(Address("/ui/metrics"));
        await PagesTests.LiveAsync(page);
        await page.Locator(".metrics select").SelectOptionAsync(service);
        foreach (
            var (metric, shown) in new[]
            {
                ("shop.stock", "42"),
                ("shop.sold", "item/s"),
                ("shop.checkout.duration", "95th percentile"),
            }
        )
        {
            await page.GetByRole(AriaRole.Button, new() { Name = $"{metric} {service}", Exact = true }).ClickAsync();
            await Assertions.Expect(page.Locator("section", new() { HasText = metric })).ToContainTextAsync(shown);
        }
        Assert.Equal(2, (await galaxy.Http.GetFromJsonAsync<JsonArray>("/api/v1/traces/" + trace))!.Count);
    }

    [Fact]
    public async Task Bad_exports_are_told_what_is_wrong_and_nobody_exports_without_a_key()
    {
        using var http = new HttpClient { BaseAddress = galaxy.Host.Url("console", "otlp-http") };
        async Task<(HttpStatusCode, string)> SendAsync(
            byte[] body,
            string type,
            string? encoding = null,
            string path = "/v1/traces",
            bool withKey = true
        )
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
            if (encoding is not null)
                request.Content.Headers.ContentEncoding.Add(encoding);
            if (withKey)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", galaxy.Key);
            using var answer = await http.SendAsync(request);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }

        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await SendAsync([], "application/x-protobuf", withKey: false)).Item1
        );
        foreach (var path in new[] { "/v1/traces", "/v1/logs", "/v1/metrics" })
        {
            Assert.Equal(
                HttpStatusCode.BadRequest,
                (await SendAsync([0xff, 0xff, 0xff], "application/x-protobuf", path: path)).Item1
            );
            Assert.Equal(
                HttpStatusCode.BadRequest,
                (await SendAsync("[1]"u8.ToArray(), "application/json", path: path)).Item1
            );
            Assert.Equal((HttpStatusCode.OK, "{}"), await SendAsync("{}"u8.ToArray(), "application/json", path: path));
        }
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await SendAsync([], "text/plain")).Item1);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await SendAsync([], "application/json", "br")).Item1);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await SendAsync("no gzip"u8.ToArray(), "application/x-protobuf", "gzip")).Item1
        );
        // A hundred megabytes of spaces make a small archive.
        using var packed = new MemoryStream();
        await using (
            var gzip = new System.IO.Compression.GZipStream(
                packed,
                System.IO.Compression.CompressionLevel.Fastest,
                leaveOpen: true
            )
        )
        {
            var spaces = Encoding.ASCII.GetBytes(new string(' ', 1024 * 1024));
            for (var i = 0; i < 100; i++)
                await gzip.WriteAsync(spaces);
        }
        Assert.Equal(
            HttpStatusCode.RequestEntityTooLarge,
            (await SendAsync(packed.ToArray(), "application/json", "gzip")).Item1
        );
    }
}
