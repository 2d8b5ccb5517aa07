using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Authentication;

namespace Galaxy.EndToEnd.Tests.Security;

/// <summary>Join tokens: each is good for one device, until it expires, whoever leads.</summary>
[Collection("shared system")]
public sealed class JoinTests(RunningGalaxy galaxy)
{
    private async Task<string> TokenAsync(double ttlSeconds = 600)
    {
        using var made = await galaxy.Http.PostAsJsonAsync(
            "/api/v1/access/tokens",
            new { role = "worker", ttl_seconds = ttlSeconds }
        );
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        return (await made.Content.ReadFromJsonAsync<JsonNode>())!["token"]!.GetValue<string>();
    }

    private async Task<(HttpStatusCode Status, string? Detail)> JoinAsync(
        string token,
        (string Id, string Secret) key,
        string name = "phone"
    )
    {
        using var anonymous = new HttpClient { BaseAddress = galaxy.Http.BaseAddress };
        using var answer = await anonymous.PostAsJsonAsync(
            "/api/v1/join",
            new
            {
                token,
                name,
                key_id = key.Id,
                key_hash = AccessKey.HashOf(key.Secret),
            }
        );
        return (answer.StatusCode, (string?)(await answer.Content.ReadFromJsonAsync<JsonNode>())!["detail"]);
    }

    [Fact]
    public async Task Of_twenty_who_show_the_same_token_at_once_one_joins_and_may_ask_again()
    {
        var token = await TokenAsync();
        var keys = Enumerable.Range(0, 20).Select(_ => AccessKey.Create()).ToList();

        var answers = await Task.WhenAll(keys.Select(key => JoinAsync(token, key)));

        Assert.Equal(1, answers.Count(answer => answer.Status == HttpStatusCode.Created));
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.Created), answer =>
            Assert.Equal(HttpStatusCode.Unauthorized, answer.Status)
        );
        var joined = keys[Array.FindIndex(answers, answer => answer.Status == HttpStatusCode.Created)];
        Assert.Equal(HttpStatusCode.Created, (await JoinAsync(token, joined)).Status);
        Assert.Contains("has been used", (await JoinAsync(token, AccessKey.Create())).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_used_token_stays_used_when_the_leader_that_took_it_is_killed()
    {
        var token = await TokenAsync();
        Assert.Equal(HttpStatusCode.Created, (await JoinAsync(token, AccessKey.Create())).Status);
        var old = await galaxy.LeaderAsync();

        galaxy.Host.Kill(old.NodeId);
        await Eventually.TrueAsync(async () =>
            (await galaxy.ClusterAsync())?.Leader is { } leader && leader.Token > old.Token
        );

        Assert.Contains("has been used", (await JoinAsync(token, AccessKey.Create())).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expired_an_invented_and_a_deleted_token_open_nothing()
    {
        var soon = await TokenAsync(ttlSeconds: 1);
        string? detail = null;
        // Each try before its end would use it up, so that a broken body stands in for one.
        await Eventually.TrueAsync(async () =>
        {
            using var list = await galaxy.Http.GetAsync("/api/v1/access/tokens");
            var one = (await list.Content.ReadFromJsonAsync<JsonArray>())!.First(token =>
                soon.Contains((string)token!["id"]!, StringComparison.Ordinal)
            );
            return one!["expires"]!.GetValue<DateTimeOffset>() < DateTimeOffset.UtcNow;
        });
        (_, detail) = await JoinAsync(soon, AccessKey.Create());
        Assert.Contains("expired", detail, StringComparison.Ordinal);
        Assert.Contains(
            "unknown",
            (await JoinAsync("gxj-0123456789ab-" + new string('0', 64), AccessKey.Create())).Detail,
            StringComparison.Ordinal
        );
        Assert.Contains("unknown", (await JoinAsync("rubbish", AccessKey.Create())).Detail, StringComparison.Ordinal);

        var deleted = await TokenAsync();
        using var gone = await galaxy.Http.DeleteAsync("/api/v1/access/tokens/" + deleted.Split('-')[1]);
        Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        Assert.Contains("unknown", (await JoinAsync(deleted, AccessKey.Create())).Detail, StringComparison.Ordinal);

        // It opens no other door either, and says what it is for.
        using var other = new HttpRequestMessage(HttpMethod.Get, new Uri(galaxy.Http.BaseAddress!, "/api/v1/cluster"));
        other.Headers.Add("X-API-Key", await TokenAsync());
        using var anonymous = new HttpClient();
        using var refused = await anonymous.SendAsync(other);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains("join token", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"name":"a","key_id":"0123456789ab","key_hash":"00"}""", "'token'")]
    [InlineData("""{"token":"gxj-x","key_id":"0123456789ab","key_hash":"00"}""", "'name'")]
    [InlineData("""{"token":"gxj-x","name":"a","key_id":"0123","key_hash":"00"}""", "'key_id'")]
    [InlineData("""{"token":"gxj-x","name":"a","role":"admin"}""", "role")]
    public async Task A_join_that_makes_no_sense_names_the_field(string body, string named)
    {
        using var anonymous = new HttpClient { BaseAddress = galaxy.Http.BaseAddress };
        using var answer = await anonymous.PostAsync(
            "/api/v1/join",
            new StringContent(body, System.Text.Encoding.UTF8, "application/json")
        );

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(named, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_joins_by_a_token_runs_tasks_and_comes_back_without_one()
    {
        var token = await TokenAsync();
        var home = Directory.CreateTempSubdirectory("galaxy-home-");
        try
        {
            foreach (
                var options in new[]
                {
                    new[] { "--join", token, "--master", $"ws://127.0.0.1:{galaxy.Host.Url("gateway", "ws").Port}" },
                    [],
                }
            )
            {
                using var worker = Start(
                    home.FullName,
                    ["worker", "--id", "joined", "--url", galaxy.Http.BaseAddress!.ToString(), .. options]
                );
                await Eventually.TrueAsync(
                    async () =>
                        await galaxy.Http.GetFromJsonAsync<JsonNode>("/api/v1/devices") is JsonArray devices
                        && devices.Any(device =>
                            (string?)device!["device_id"] == "joined" && (string?)device["state"] is not "offline"
                        ),
                    30
                );
                var task = await galaxy.FinishedAsync(
                    await galaxy.SubmitAsync(
                        new
                        {
                            action = "echo",
                            target_device = "joined",
                            @params = new { text = "hi" },
                        }
                    )
                );
                Assert.Equal(TaskState.Completed, task.State);
                worker.Kill();
                await worker.WaitForExitAsync();
                await Eventually.TrueAsync(
                    async () =>
                        (string?)(await galaxy.Http.GetFromJsonAsync<JsonNode>("/api/v1/devices/joined"))!["state"]
                        == "offline",
                    30
                );
            }
            // Its key makes it a worker and nothing more.
            var file = Directory.GetFiles(home.FullName, "device-joined.json", SearchOption.AllDirectories).Single();
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            using var client = new HttpClient { BaseAddress = galaxy.Http.BaseAddress };
            client.DefaultRequestHeaders.Add(
                "X-API-Key",
                (string)JsonNode.Parse(await File.ReadAllTextAsync(file))!["secret"]!
            );
            using var submit = await client.PostAsJsonAsync("/api/v1/tasks", new { action = "echo" });
            Assert.Equal(HttpStatusCode.Forbidden, submit.StatusCode);
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task The_command_line_makes_a_token_with_a_code_to_scan_and_says_what_is_wrong()
    {
        var (_, output, _) = await RunAsync("token", "create", "--role", "worker", "--ttl", "30m");
        Assert.Contains("gxj-", output, StringComparison.Ordinal);
        Assert.Contains("█", output, StringComparison.Ordinal);
        Assert.Contains("galaxy worker --join gxj-", output, StringComparison.Ordinal);

        var (code, _, error) = await RunAsync("token", "create", "--ttl", "soon");
        Assert.Equal(
            (2, "error: --ttl is 'soon', which is no duration such as 90s, 30m, 1h or 7d."),
            (code, error.Trim())
        );
        Assert.Contains(
            "galaxy token",
            (await RunAsync("worker", "--id", "x", "--join", "gxj-0")).Error,
            StringComparison.Ordinal
        );
        Assert.Contains("POST /api/v1/access/tokens", (await RunAsync("audit")).Output, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var process = Start(
            null,
            [.. arguments, "--url", galaxy.Http.BaseAddress!.ToString(), "--api-key", galaxy.Key]
        );
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, await output, await error);
    }

    private static Process Start(string? home, IEnumerable<string> arguments)
    {
        var info = new ProcessStartInfo(Repository.Galaxy)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = home ?? Path.GetTempPath(),
        };
        foreach (var argument in arguments)
            info.ArgumentList.Add(argument);
        info.Environment["COLUMNS"] = "200";
        if (home is not null)
            (info.Environment["HOME"], info.Environment["XDG_DATA_HOME"]) = (home, Path.Combine(home, "data"));
        return Process.Start(info)!;
    }
}
