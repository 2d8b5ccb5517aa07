using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.EndToEnd.Tests.Models;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.EndToEnd.Tests.Backup;

/// <summary>A cluster is written to a file and made anew of it, on other machines under another key.</summary>
[Collection("system")]
public sealed class BackupTests : IDisposable
{
    private sealed class FirstCluster : RunningGalaxy
    {
        protected override string[] Options => ["--scenario", "cloud"];
    }

    private sealed class SecondCluster : RunningGalaxy
    {
        protected override string[] Options => ["--no-workers"];

        protected override int Workers => 0;
    }

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("galaxy-backup-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task An_empty_cluster_is_made_of_a_backup_and_a_damaged_one_is_refused_whole()
    {
        var file = Path.Combine(_folder.FullName, "galaxy.gxb");
        using var provider = new Provider();
        string oldKey,
            person,
            guest,
            task;
        await using (var first = new FirstCluster())
        {
            await first.InitializeAsync();
            oldKey = first.Key;
            await SetAsync(first, "shopping", "milk");
            await SetAsync(first, "plan", "rest");
            Assert.Equal(
                0,
                (
                    await GalaxyProgram.RunAsync(
                        first,
                        "config",
                        "set",
                        "providers.home",
                        $$"""{"base_url": "{{provider.Address}}", "api_key": "sk-of-the-provider-1234"}"""
                    )
                ).Code
            );
            using (
                var created = await first.Http.PostAsJsonAsync(
                    "/api/v1/access/keys",
                    new { name = "anna", role = "client" }
                )
            )
                person = (await created.Content.ReadFromJsonAsync<JsonNode>())!["secret"]!.GetValue<string>();
            using (var created = await first.Http.PostAsJsonAsync("/api/v1/keys", new { name = "guest" }))
                guest = (await created.Content.ReadFromJsonAsync<JsonNode>())!["secret"]!.GetValue<string>();
            task = await first.SubmitAsync(new { action = "echo", @params = new { text = "kept" } });
            await first.FinishedAsync(task);

            var (code, said) = await GalaxyProgram.RunAsync(first, "backup", file);
            Assert.True(code == 0, said);
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            Assert.Contains("exists already", (await GalaxyProgram.RunAsync(first, "backup", file)).Output);
            Assert.DoesNotContain("milk", Encoding.Latin1.GetString(File.ReadAllBytes(file)));
            // Onto itself: it is not empty.
            Assert.Contains("not empty", (await GalaxyProgram.RunAsync(first, "restore", file)).Output);
        }

        await using var second = new SecondCluster();
        await second.InitializeAsync();
        Assert.NotEqual(oldKey, second.Key);
        var (without, complaint) = await GalaxyProgram.RunAsync(second, "restore", file);
        Assert.True(without == 2 && complaint.Contains("--old-key", StringComparison.Ordinal), complaint);
        await RefusedAsync(second, file, oldKey);

        var (restored, told) = await GalaxyProgram.RunAsync(second, "restore", file, "--old-key", oldKey);
        Assert.True(restored == 0, told);

        Assert.Equal("milk", await GetAsync(second.Http, "shopping"));
        Assert.Equal("rest", await GetAsync(second.Http, "plan"));
        Assert.Equal("kept", (await second.FinishedAsync(task)).Result?.GetProperty("text").GetString());
        Assert.Contains(task, await second.Http.GetStringAsync("/api/v1/tasks"));
        // Who had a key has it still.
        using (var anna = new HttpClient { BaseAddress = second.Http.BaseAddress })
        {
            anna.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", person);
            Assert.Equal("milk", await GetAsync(anna, "shopping"));
        }
        // A secret of the configuration can be used under the new cluster's key, and a key for the models as well.
        using var models = new HttpClient { BaseAddress = second.Http.BaseAddress };
        models.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", guest);
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await models.PostAsJsonAsync(
                "/v1/chat/completions",
                new { model = "home/parrot", messages = new[] { new { role = "user", content = "hello" } } }
            );
            return answer.StatusCode == HttpStatusCode.OK;
        });
        Assert.Equal("Bearer sk-of-the-provider-1234", provider.Authorization);
        // New work goes on where the old ended, and every coordinator has the state.
        foreach (var name in (string[])["coordinator-a", "coordinator-b", "coordinator-c"])
        {
            using var coordinator = second.Client(name);
            await Eventually.TrueAsync(async () => await GetAsync(coordinator, "shopping") == "milk");
        }
        Assert.Contains(
            "not empty",
            (await GalaxyProgram.RunAsync(second, "restore", file, "--old-key", oldKey)).Output
        );
    }

    // Cut short at many places, or with one bit turned at many: nothing of it is taken.
    private static async Task RefusedAsync(RunningGalaxy galaxy, string file, string key)
    {
        var whole = await File.ReadAllBytesAsync(file);
        var damaged = new List<byte[]> { Array.Empty<byte>(), Encoding.UTF8.GetBytes("hello") };
        foreach (var part in (double[])[0.01, 0.3, 0.5, 0.9, 0.999])
        {
            damaged.Add(whole[..(int)(whole.Length * part)]);
            var turned = (byte[])whole.Clone();
            turned[(int)(whole.Length * part)] ^= 0x10;
            damaged.Add(turned);
        }
        damaged.Add([.. whole, 0]);
        foreach (var bytes in damaged)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/backup/restore")
            {
                Content = new ByteArrayContent(bytes),
            };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            request.Headers.Add("X-Galaxy-Old-Key", key);
            using var answer = await galaxy.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Contains("nothing of it was taken", await answer.Content.ReadAsStringAsync());
        }
        Assert.Null(await GetAsync(galaxy.Http, "shopping"));
        Assert.DoesNotContain("task_id", await galaxy.Http.GetStringAsync("/api/v1/tasks"));
    }

    private static async Task SetAsync(RunningGalaxy galaxy, string key, string value)
    {
        using var answer = await galaxy.Http.PutAsJsonAsync("/api/v1/state/notes/" + key, value);
        Assert.True(answer.IsSuccessStatusCode);
    }

    private static async Task<string?> GetAsync(HttpClient http, string key)
    {
        using var answer = await http.GetAsync("/api/v1/state/notes/" + key);
        return answer.IsSuccessStatusCode
            ? (await answer.Content.ReadFromJsonAsync<JsonNode>(GalaxyJson.Options))!["value"]!.GetValue<string>()
            : null;
    }
}
