using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.EndToEnd.Tests.Upgrade;

/// <summary>
/// This version on the files that the last one left behind when it was killed: its store's log, a coordinator's
/// snapshot and log, a backup. They were made by version 0.2.0 (commit cc8116b), a machine with one worker, and are
/// never made anew by this one.
/// </summary>
[Collection("system")]
public sealed class LastVersionTests(LastVersionTests.OnItsFiles galaxy) : IClassFixture<LastVersionTests.OnItsFiles>
{
    private const string Key = "fixture-key-of-the-last-version";
    private const string OfAnna = "gxa-4ad527ef28d5-f658fe78d7b09c4e8228d1f5ef5f12acc1df2a2799bff421144fcee88f9ea1c4";
    private const string OfGuest = "gxk-f54000a726323498c443ed281b924c39ace67fbd84bba572322ec16f5af0e510";
    private const string Done = "01a2252d9add7b648ff86cc099db40f2";
    private const string Held = "01a2252d9c7b72e786f5a7a2a53e4393";

    public sealed class OnItsFiles : RunningGalaxy
    {
        public static string Files => Path.Combine(AppContext.BaseDirectory, "Upgrade", "0.2.0");

        protected override string[] Options => ["--GALAXY_API_KEY", LastVersionTests.Key];

        protected override void Prepare()
        {
            Copy(Path.Combine(Files, "store"), Path.Combine(Data, "store"));
            Copy(Path.Combine(Files, "state"), Path.Combine(Data, "nodes", "coordinator-a", "state"));
        }

        private static void Copy(string from, string to)
        {
            foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            {
                var target = Path.Combine(to, Path.GetRelativePath(from, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }
        }
    }

    [Fact]
    public async Task Everything_that_it_stored_is_there_and_goes_on()
    {
        // Its token was 1: nobody leads under one that was used.
        Assert.True((await galaxy.LeaderAsync()).Token > 1);
        await StateAsync();
        await ConfigurationAsync();
        await TasksAsync();
        await KeysAsync();

        Assert.Contains(
            (await galaxy.Http.GetFromJsonAsync<List<FailoverRecord>>("/api/v1/failovers", GalaxyJson.Options))!,
            record => record is { Id: "fo-1", To: "node-1" }
        );
        Assert.Empty(
            (await galaxy.Http.GetFromJsonAsync<List<QuarantinedRecord>>("/api/v1/quarantine", GalaxyJson.Options))!
        );
        await BackupAsync();
    }

    private async Task StateAsync()
    {
        var page = (await galaxy.Http.GetFromJsonAsync<StatePage>("/api/v1/state/notes", GalaxyJson.Options))!;
        Assert.Equal(
            ["after-snapshot", "counted", "first", "prio", "shopping"],
            page.Entries.Select(entry => entry.Key)
        );
        var values = page.Entries.ToDictionary(entry => entry.Key);
        Assert.Equal("in the log", (string?)values["after-snapshot"].Value);
        Assert.Equal("milk", (string?)values["shopping"].Value!["text"]);
        Assert.Equal(5, (int?)values["counted"].Value!["n"]!["$counter"]);
        Assert.Equal(
            ("first_write_wins", "highest_priority", 7),
            (values["first"].Policy, values["prio"].Policy, values["prio"].Priority)
        );
        // It is written on: a counter of the last version counts.
        using (
            var counted = await galaxy.Http.PutAsJsonAsync(
                "/api/v1/state/notes/counted?policy=merge",
                new { n = new Dictionary<string, int> { ["$counter"] = 6 } }
            )
        )
            Assert.Equal(
                6,
                (int?)
                    (await counted.Content.ReadFromJsonAsync<StateEntryView>(GalaxyJson.Options))!.Value!["n"]![
                        "$counter"
                    ]
            );

        var group = Assert.Single(
            (await galaxy.Http.GetFromJsonAsync<List<GroupView>>("/api/v1/groups", GalaxyJson.Options))!
        );
        Assert.Equal("upstairs", group.GroupId);
        Assert.Equal(["lamp-1", "lamp-2"], group.Devices.Order());
        var lamp = (await galaxy.Http.GetFromJsonAsync<DeviceView>("/api/v1/devices/lamp-1", GalaxyJson.Options))!;
        Assert.Equal(
            (2, "home/attic", "dim,shine"),
            (lamp.Slots, lamp.Location, string.Join(',', lamp.Capabilities.Select(one => one.Name).Order()))
        );
        using var coordinator = galaxy.Client("coordinator-a");
        var snapshots = (
            await coordinator.GetFromJsonAsync<List<SnapshotView>>("/api/v1/state/snapshots", GalaxyJson.Options)
        )!;
        Assert.All(snapshots, snapshot => Assert.Null(snapshot.Problem));
        Assert.Equal(
            HttpStatusCode.OK,
            (await coordinator.GetAsync($"/api/v1/state/snapshots/{snapshots[^1].Name}/diff")).StatusCode
        );
    }

    private async Task ConfigurationAsync()
    {
        var providers = (await galaxy.Http.GetFromJsonAsync<JsonNode>("/api/v1/config/providers"))!;
        Assert.Equal(
            ("http://127.0.0.1:10/v1", "sk-…1234"),
            ((string?)providers["value"]!["home"]!["base_url"], (string?)providers["value"]!["home"]!["api_key"])
        );
        Assert.Equal(2, (await galaxy.Http.GetFromJsonAsync<JsonArray>("/api/v1/config/providers/history"))!.Count);
        Assert.Equal(
            33,
            (await galaxy.Http.GetFromJsonAsync<FailoverStatus>("/api/v1/failover", GalaxyJson.Options))!
                .Settings
                .RecoveryTimeoutSeconds
        );
    }

    private async Task TasksAsync()
    {
        // The copy of the nightly task that was due since then may be there, too.
        var tasks = (await galaxy.Http.GetFromJsonAsync<List<TaskView>>("/api/v1/tasks?limit=100", GalaxyJson.Options))!
            .Where(task => task.CopyOf is null)
            .ToDictionary(task => task.Name);
        Assert.Equal("kept", tasks["done"].Result?.GetProperty("text").GetString());
        Assert.Equal(TaskState.Completed, tasks["parts"].State);
        Assert.Equal((TaskState.Queued, 3), (tasks["waits"].State, tasks["waits"].Retry?.MaxAttempts));
        Assert.All(["every", "later"], name => Assert.Equal(TaskState.Scheduled, tasks[name].State));
        // A submission that is repeated over the upgrade is the one from before it.
        using (
            var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/tasks")
            {
                Content = new StringContent(
                    """{"action":"echo","params":{"text":"kept"},"name":"done"}""",
                    System.Text.Encoding.UTF8,
                    "application/json"
                ),
            }
        )
        {
            request.Headers.Add("Idempotency-Key", "done-once");
            using var again = await galaxy.Http.SendAsync(request);
            Assert.Equal(
                (HttpStatusCode.OK, Done),
                (again.StatusCode, (string?)(await again.Content.ReadFromJsonAsync<JsonNode>())!["task_id"])
            );
        }
        // What was held then is done now.
        using (var released = await galaxy.Http.PostAsync($"/api/v1/tasks/{Held}/execute", null))
            Assert.True(released.IsSuccessStatusCode, await released.Content.ReadAsStringAsync());
        Assert.Equal("held", (await galaxy.FinishedAsync(Held)).Result?.GetProperty("text").GetString());
    }

    private async Task KeysAsync()
    {
        Assert.Single((await galaxy.Http.GetFromJsonAsync<JsonArray>("/api/v1/access/tokens"))!);
        foreach (var (key, path) in new[] { (OfAnna, "/api/v1/devices"), (OfGuest, "/v1/models") })
        {
            using var client = new HttpClient { BaseAddress = galaxy.Http.BaseAddress };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            await Eventually.TrueAsync(async () => (await client.GetAsync(path)).StatusCode == HttpStatusCode.OK);
        }
    }

    // It is read and checked whole before anybody asks whether the cluster is empty.
    private async Task BackupAsync()
    {
        using var content = new ByteArrayContent(
            await File.ReadAllBytesAsync(Path.Combine(OnItsFiles.Files, "galaxy.gxb"))
        );
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var answer = await galaxy.Http.PostAsync("/api/v1/backup/restore", content);
        Assert.Contains("not empty", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
    }
}
