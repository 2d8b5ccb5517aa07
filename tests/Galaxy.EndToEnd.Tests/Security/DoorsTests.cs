using System.Net;
using System.Net.Http.Json;
using System.Text;

namespace Galaxy.EndToEnd.Tests.Security;

/// <summary>What the gateway's ports let in, and what they say to bad input.</summary>
[Collection("shared system")]
public sealed class DoorsTests(RunningGalaxy galaxy)
{
    private static readonly HttpClient Anonymous = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    [Theory]
    [InlineData("/api/v1/cluster")]
    [InlineData("/api/v1/failovers")]
    [InlineData("/api/v1/tasks")]
    [InlineData("/api/v1/devices")]
    [InlineData("/api/v1/traces")]
    [InlineData("/api/v1/discovery/nodes")]
    [InlineData("/v1/models")]
    [InlineData("/nodes")]
    [InlineData("/route/echo")]
    public async Task Without_the_key_nothing_is_told(string path)
    {
        foreach (var port in new[] { "api", "ui" })
        {
            using var refused = await Anonymous.GetAsync(new Uri(galaxy.Host.Url("gateway", port), path));
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }
        using var answered = await galaxy.Http.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
    }

    [Fact]
    public async Task The_console_is_on_its_own_port_and_asks_who_comes()
    {
        using var page = await Anonymous.GetAsync(galaxy.Host.Url("gateway", "ui"));
        // A path, and not the address of a process that only this machine can reach.
        Assert.Equal(
            (HttpStatusCode.Redirect, "/sign-in?ReturnUrl=%2F"),
            (page.StatusCode, page.Headers.Location!.OriginalString)
        );

        using var notHere = await galaxy.Http.GetAsync("/sign-in");
        Assert.Equal(HttpStatusCode.NotFound, notHere.StatusCode);

        using var forged = new HttpRequestMessage(
            HttpMethod.Get,
            new Uri(galaxy.Host.Url("gateway", "api"), "/sign-in")
        );
        forged.Headers.Add("X-Galaxy-Door", "ui");
        using var stillNotHere = await Anonymous.SendAsync(forged);
        Assert.NotEqual(HttpStatusCode.OK, stillNotHere.StatusCode);
    }

    [Fact]
    public async Task The_socket_port_says_that_it_speaks_websocket_only()
    {
        using var answer = await Anonymous.GetAsync(new Uri(galaxy.Host.Url("gateway", "ws"), "/api/v1/cluster"));

        Assert.Equal(HttpStatusCode.UpgradeRequired, answer.StatusCode);
    }

    [Theory]
    [InlineData("{}", "'action'")]
    [InlineData("{\"action\":\"echo\",\"priority\":3}", "'priority'")]
    [InlineData("{\"action\":\"echo\",\"timeout_seconds\":-1}", "'timeout_seconds'")]
    [InlineData("{\"action\":\"echo\",\"max_attempts\":99}", "'max_attempts'")]
    [InlineData("{\"action\":\"echo\",\"target_device\":\"a b\"}", "'target_device'")]
    [InlineData("{\"action\":5}", "action")]
    [InlineData("{\"action\":\"echo\",\"prio\":5}", "prio")]
    [InlineData("{", "JSON")]
    [InlineData("", "body")]
    public async Task A_task_that_makes_no_sense_is_refused_with_the_field_named(string body, string named)
    {
        using var answer = await galaxy.Http.PostAsync(
            "/api/v1/tasks",
            new StringContent(body, Encoding.UTF8, "application/json")
        );

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(
            named,
            (await answer.Content.ReadFromJsonAsync<Problem>())!.Detail,
            StringComparison.OrdinalIgnoreCase
        );
    }

    [Fact]
    public async Task A_failover_to_nobody_names_who_there_is()
    {
        using var answer = await galaxy.Http.PostAsJsonAsync("/api/v1/failover", new { to = "nobody" });

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await answer.Content.ReadFromJsonAsync<Problem>();
        Assert.Contains("'nobody'", problem!.Detail, StringComparison.Ordinal);
        Assert.Contains("coordinator-", problem.Detail, StringComparison.Ordinal);
    }

    private sealed record Problem(string Detail);
}
