using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;
using Microsoft.Playwright;

namespace Galaxy.EndToEnd.Tests.Console;

/// <summary>What a person does with the pages, and what comes of it.</summary>
[Collection("system")]
public sealed class StoryTests(RunningGalaxy galaxy, Browser browser)
    : IClassFixture<RunningGalaxy>,
        IClassFixture<Browser>
{
    /// <summary>All that a viewer may press on any page.</summary>
    private static readonly string[] Looking = ["Output", "Compare with now", "More", "Older ones"];

    private string Address(string path) => new Uri(galaxy.Host.Url("gateway", "ui"), path).ToString();

    private async Task<IPage> SignedInAsync(string path, int width = 1360)
    {
        var page = await browser.OpenAsync(width);
        await page.GotoAsync(Address(galaxy.SignInPath));
        await page.GotoAsync(Address(path));
        await PagesTests.LiveAsync(page);
        // A reload would lose this mark.
        await page.EvaluateAsync("window.sameDocument = true");
        return page;
    }

    private static async Task NotReloadedAsync(IPage page) =>
        Assert.True(await page.EvaluateAsync<bool>("window.sameDocument === true"));

    [Fact]
    public async Task A_task_is_submitted_from_the_action_s_schema_and_seen_to_run_and_finish()
    {
        var page = await SignedInAsync("/ui/tasks");
        await page.GetByRole(AriaRole.Button, new() { Name = "New task" }).ClickAsync();
        await page.Locator("#action").SelectOptionAsync("sleep");
        await page.Locator("input[type=number]").First.FillAsync("2");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("a nap");
        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();

        var row = page.Locator("tr", new() { HasText = "a nap" });
        await Assertions.Expect(row).ToContainTextAsync("running");
        await Browser.PictureAsync(page, "story-task-running");
        await Assertions.Expect(row).ToContainTextAsync("completed");
        await NotReloadedAsync(page);

        await row.GetByRole(AriaRole.Link, new() { Name = "a nap" }).ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("a nap");
        await Assertions.Expect(page.Locator("section", new() { HasText = "Result" }).First).ToBeVisibleAsync();
        await Browser.PictureAsync(page, "story-task");
        var first = page.Url;
        Assert.Contains("/ui/tasks/", first, StringComparison.Ordinal);
        await page.GetByRole(AriaRole.Button, new() { Name = "Do it again" }).ClickAsync();
        await page.WaitForURLAsync(url => url.Contains("/ui/tasks/", StringComparison.Ordinal) && url != first);
        await Assertions.Expect(page.GetByText("running").First).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel it" }).ClickAsync();
        await Assertions.Expect(page.GetByText("cancelled").First).ToBeVisibleAsync();
        await NotReloadedAsync(page);
    }

    [Fact]
    public async Task A_conflict_is_shown_side_by_side_and_decided_for_every_node()
    {
        var key = await ConflictAsync();
        var page = await SignedInAsync("/ui/state?tab=conflicts");
        var conflict = page.Locator("section.conflict", new() { HasText = key });
        await Assertions.Expect(conflict.Locator("article")).ToHaveCountAsync(2);
        await Browser.PictureAsync(page, "story-conflict");

        await conflict.Locator("article", new() { HasText = "said by b" }).GetByRole(AriaRole.Button).ClickAsync();

        await Assertions.Expect(conflict).ToHaveCountAsync(0);
        await NotReloadedAsync(page);
        foreach (var coordinator in new[] { "coordinator-a", "coordinator-b", "coordinator-c" })
        {
            using var client = galaxy.Client(coordinator);
            await Eventually.TrueAsync(async () =>
                await client.GetFromJsonAsync<StateEntryView>($"/api/v1/state/notes/{key}", GalaxyJson.Options)
                    is { Contested: false } entry
                && (string?)entry.Value!["text"] == "said by b"
            );
        }
    }

    /// <summary>
    /// Two people write at the same time on two coordinators; sooner or later neither knows of the other.
    /// </summary>
    private async Task<string> ConflictAsync()
    {
        using var a = galaxy.Client("coordinator-a");
        using var b = galaxy.Client("coordinator-b");
        for (var i = 0; i < 200; i++)
        {
            var key = $"shopping-{i}";
            var answers = await Task.WhenAll(
                a.PutAsJsonAsync($"/api/v1/state/notes/{key}?policy=manual", new { text = "said by a" }),
                b.PutAsJsonAsync($"/api/v1/state/notes/{key}?policy=manual", new { text = "said by b" })
            );
            foreach (var answer in answers)
                answer.Dispose();
            for (var look = 0; look < 10; look++)
            {
                if (
                    (
                        await a.GetFromJsonAsync<StateEntryView>($"/api/v1/state/notes/{key}", GalaxyJson.Options)
                    )!.Contested
                )
                    return key;
            }
        }
        throw new InvalidOperationException("the two never met");
    }

    [Fact]
    public async Task Configuration_is_checked_while_it_is_written_arrives_everywhere_and_can_be_set_back()
    {
        var page = await SignedInAsync("/ui/configuration?document=logging");
        var editor = page.Locator("textarea.editor");
        var save = page.GetByRole(AriaRole.Button, new() { Name = "Save" });
        await editor.FillAsync("{ \"Galaxy\": ");
        await Assertions.Expect(page.Locator("#editor-said")).ToContainTextAsync("not JSON yet");
        await Assertions.Expect(save).ToBeDisabledAsync();
        await editor.FillAsync("{ \"Galaxy\": \"Loud\" }");
        await save.ClickAsync();
        // The schema's own complaint, with the field and what is allowed.
        await Assertions.Expect(page.Locator("#editor-said")).ToContainTextAsync("Debug");
        await editor.FillAsync("{ \"Galaxy.Tour\": \"Debug\" }");
        await save.ClickAsync();

        await Assertions.Expect(page.Locator("#editor-said")).ToContainTextAsync("Saved");
        await Assertions.Expect(page.Locator(".versions .good")).ToHaveCountAsync(3);
        await Assertions.Expect(page.Locator(".history > li")).ToHaveCountAsync(1);
        foreach (var coordinator in new[] { "coordinator-b", "coordinator-c" })
        {
            using var client = galaxy.Client(coordinator);
            await Eventually.TrueAsync(async () =>
                (await client.GetFromJsonAsync<JsonNode>("/api/v1/config/logging"))!["value"]?["Galaxy.Tour"]
                    is not null
            );
        }

        await editor.FillAsync("{ \"Galaxy.Tour\": \"Warning\" }");
        await save.ClickAsync();
        await Assertions.Expect(page.Locator(".history > li")).ToHaveCountAsync(2);
        await page.Locator(".history > li").Nth(1).GetByRole(AriaRole.Button, new() { Name = "Compare" }).ClickAsync();
        await Assertions.Expect(page.Locator(".diff .then")).ToContainTextAsync("Debug");
        await Assertions.Expect(page.Locator(".diff .now")).ToContainTextAsync("Warning");
        await Browser.PictureAsync(page, "story-configuration");
        await page.Locator(".history > li").Nth(1).GetByRole(AriaRole.Button, new() { Name = "Go back" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Set it back" }).ClickAsync();
        await Assertions.Expect(editor).ToHaveValueAsync(new System.Text.RegularExpressions.Regex("Debug"));
        await NotReloadedAsync(page);
    }

    [Fact]
    public async Task The_state_goes_back_to_a_snapshot_and_the_page_says_what_was_changed()
    {
        using var before = await galaxy.Http.PutAsJsonAsync("/api/v1/state/notes/kept", new { text = "as it was" });
        var page = await SignedInAsync("/ui/state?tab=snapshots");
        await page.GetByRole(AriaRole.Button, new() { Name = "Take one now" }).ClickAsync();
        await Assertions.Expect(page.Locator("tbody tr").First).ToBeVisibleAsync();
        using var after = await galaxy.Http.PutAsJsonAsync("/api/v1/state/notes/kept", new { text = "changed" });
        var newest = page.Locator("tbody tr").First;
        await newest.GetByRole(AriaRole.Button, new() { Name = "Compare with now" }).ClickAsync();
        await Assertions.Expect(page.Locator(".diff .then").First).ToContainTextAsync("as it was");

        await newest.GetByRole(AriaRole.Button, new() { Name = "Go back to it" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog)
            .GetByRole(AriaRole.Button, new() { Name = "Go back", Exact = true })
            .ClickAsync();

        await Assertions.Expect(page.GetByText("The state is what it was")).ToBeVisibleAsync();
        var entry = await galaxy.Http.GetFromJsonAsync<StateEntryView>("/api/v1/state/notes/kept", GalaxyJson.Options);
        Assert.Equal("as it was", (string?)entry!.Value!["text"]);
    }

    [Fact]
    public async Task Leadership_moves_by_keyboard_alone_and_a_drained_node_takes_none()
    {
        var page = await SignedInAsync("/ui/nodes");
        var leader = (await galaxy.LeaderAsync()).NodeId;
        var row = page.Locator("tr", new() { HasText = leader }).First;
        await row.GetByRole(AriaRole.Button, new() { Name = "Drain" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(row).ToContainTextAsync("drained");
        await Eventually.TrueAsync(async () => (await galaxy.LeaderAsync()).NodeId != leader);
        var next = (await galaxy.LeaderAsync()).NodeId;
        await Browser.PictureAsync(page, "story-drained");

        // The third one is promoted; the drained one must not come back by that.
        var third = new[] { "coordinator-a", "coordinator-b", "coordinator-c" }.Single(id =>
            id != leader && id != next
        );
        await page.Locator("tr", new() { HasText = third })
            .First.GetByRole(AriaRole.Button, new() { Name = "Promote" })
            .FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("nothing acknowledged is lost");
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        Assert.Equal(next, (await galaxy.LeaderAsync()).NodeId);
        await page.Keyboard.PressAsync("Enter");
        await page.GetByRole(AriaRole.Dialog)
            .GetByRole(AriaRole.Button, new() { Name = "Promote" })
            .PressAsync("Enter");
        await Eventually.TrueAsync(async () => (await galaxy.LeaderAsync()).NodeId == third);
        await Assertions
            .Expect(page.Locator("tr", new() { HasText = third }).First.Locator(".star"))
            .ToBeVisibleAsync();

        // The order, by the arrows.
        var firstBefore = await page.Locator("section").First.Locator("tbody tr").First.InnerTextAsync();
        await page.Locator("section")
            .First.Locator("tbody tr")
            .Nth(1)
            .GetByRole(AriaRole.Button, new() { NameRegex = new("up$") })
            .PressAsync("Enter");
        await Eventually.TrueAsync(async () =>
            await page.Locator("section").First.Locator("tbody tr").First.InnerTextAsync() != firstBefore
        );
        await row.GetByRole(AriaRole.Button, new() { Name = "Let in" }).PressAsync("Enter");
        await Assertions.Expect(row).Not.ToContainTextAsync("drained");
        await NotReloadedAsync(page);
    }

    [Fact]
    public async Task A_record_that_cannot_be_used_is_shown_with_its_reason_and_deleted()
    {
        await using var redis = await StackExchange.Redis.ConnectionMultiplexer.ConnectAsync(
            $"127.0.0.1:{galaxy.Host.Url("redis", "tcp").Port}"
        );
        var failovers = "{galaxy:galaxy}:failovers";
        await redis.GetDatabase().ListLeftPushAsync(failovers, "{\"id\":null}");
        using (var read = await galaxy.Http.GetAsync("/api/v1/failovers"))
            read.EnsureSuccessStatusCode();

        var page = await SignedInAsync("/");
        await Assertions
            .Expect(page.GetByText("1 stored records cannot be used"))
            .ToBeVisibleAsync(new() { Timeout = 20_000 });
        await page.GotoAsync(Address("/ui/state?tab=aside"));
        var row = page.Locator("tbody tr").First;
        await Assertions.Expect(row).ToContainTextAsync("'id' is required");
        await Browser.PictureAsync(page, "story-set-aside");
        await row.GetByRole(AriaRole.Button, new() { Name = "Read it again" }).ClickAsync();
        await Assertions.Expect(page.GetByText("The record still cannot be used.")).ToBeVisibleAsync();
        await row.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog)
            .GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true })
            .ClickAsync();

        await Assertions.Expect(page.GetByText("Every stored record can be used.")).ToBeVisibleAsync();
        Assert.DoesNotContain(
            "{\"id\":null}",
            (await redis.GetDatabase().ListRangeAsync(failovers)).Select(item => (string)item!)
        );
    }

    [Fact]
    public async Task A_button_that_is_disabled_for_a_moment_keeps_the_focus()
    {
        var page = await SignedInAsync("/ui/nodes");
        var leader = (await galaxy.LeaderAsync()).NodeId;
        var follower = new[] { "coordinator-a", "coordinator-b" }.First(id => id != leader);
        var button = page.Locator("tr", new() { HasText = follower })
            .First.GetByRole(AriaRole.Button, new() { Name = "Promote" });
        await button.FocusAsync();

        galaxy.Host.Pause(follower);
        await Assertions.Expect(button).ToBeDisabledAsync(new() { Timeout = 20_000 });
        galaxy.Host.Continue(follower);
        await Assertions.Expect(button).ToBeEnabledAsync(new() { Timeout = 20_000 });

        await Assertions.Expect(button).ToBeFocusedAsync();
        await NotReloadedAsync(page);
    }

    [Fact]
    public async Task A_viewer_sees_everything_and_can_change_nothing_and_is_out_when_the_key_is_withdrawn()
    {
        var made = await galaxy.Http.PostAsJsonAsync(
            "/api/v1/access/keys",
            new { name = "wall-screen", role = "viewer" }
        );
        var key = (await made.Content.ReadFromJsonAsync<JsonNode>())!;
        var secret = (string)key["secret"]!;
        var page = await browser.OpenAsync(1360);
        // The console hears of the key through its own watch.
        await Eventually.TrueAsync(async () =>
        {
            await page.GotoAsync(Address("/sign-in"));
            await page.FillAsync("#key", secret);
            await page.ClickAsync("button[type=submit]");
            await page.WaitForURLAsync(url => !url.EndsWith("/sign-in", StringComparison.Ordinal));
            return !page.Url.Contains("problem", StringComparison.Ordinal);
        });
        HashSet<string> seen = [];
        foreach (var (path, title, _) in PagesTests.All)
        {
            await page.GotoAsync(Address(path));
            await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync(title);
            await PagesTests.LiveAsync(page);
            // What shows more, and nothing else; what is picked from a list to be looked at has no word of its own.
            var buttons = await page.Locator("main button:enabled:not(.pick)").AllInnerTextsAsync();
            Assert.All(buttons, text => Assert.Contains(text.Trim(), Looking));
            seen.UnionWith(buttons.Select(text => text.Trim()));
        }
        Assert.Contains("Output", seen);
        // Nor by the API, whatever the page would let through.
        using var client = new HttpClient { BaseAddress = galaxy.Http.BaseAddress };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        foreach (
            var path in new[]
            {
                "/api/v1/failover",
                "/api/v1/tasks",
                "/api/v1/state/snapshots",
                "/api/v1/resources/worker-1/kill",
            }
        )
        {
            using var refused = await client.PostAsJsonAsync(path, new { });
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        }

        await page.GotoAsync(Address("/"));
        await PagesTests.LiveAsync(page);
        using var withdrawn = await galaxy.Http.DeleteAsync("/api/v1/access/keys/" + key["id"]);
        // The open page is left, without anybody touching it.
        await page.WaitForURLAsync("**/sign-in?*");
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("session is over");
        await page.GotoAsync(Address("/ui/state"));
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Galaxy");
    }

    [Fact]
    public async Task A_session_ends_at_its_time_and_a_link_is_good_once()
    {
        using var console = new ExtraProcess(
            galaxy,
            "console",
            "console-short",
            ["HTTP_PORT", "OTLP_GRPC_PORT", "OTLP_HTTP_PORT"],
            environment: new Dictionary<string, string> { ["GALAXY_SESSION_MINUTES"] = "0.1" }
        );
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return (await http.GetAsync(new Uri(console.Address("HTTP_PORT"), "/alive"))).IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
        var link = new Uri(console.Address("HTTP_PORT"), galaxy.SignInPath).ToString();
        var page = await browser.OpenAsync();
        await page.GotoAsync(link);
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Overview");

        await page.WaitForURLAsync("**/sign-in?problem=over*");

        await page.GotoAsync(link);
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("good for once");
    }

    [Fact]
    public async Task Whatever_can_be_pressed_can_be_reached_with_the_tab_key()
    {
        var page = await SignedInAsync("/");
        List<string> wrong = [];
        foreach (var (path, _, _) in PagesTests.All)
        {
            await page.GotoAsync(Address(path));
            await PagesTests.LiveAsync(page);
            // Everything that reacts, whether or not the browser would focus it.
            const string Pressable = "a[href],button,input,select,textarea,summary,[onclick],[role=button]";
            await page.EvaluateAsync(
                "() => { window.reached = new Set(); document.addEventListener('focusin', e => "
                    + "window.reached.add(e.target), true); }"
            );
            string[] missed;
            var rounds = 0;
            do
            {
                // Data may still arrive and bring more to press, so those of now are counted for each way round.
                var all = await page.EvaluateAsync<int>($"() => document.querySelectorAll('{Pressable}').length");
                for (var i = 0; i < all + 20; i++)
                    await page.Keyboard.PressAsync("Tab");
                missed = await page.EvaluateAsync<string[]>(
                    $$"""
                    () => [...document.querySelectorAll('{{Pressable}}')]
                      .filter(one => !one.disabled && one.type !== 'hidden' && one.checkVisibility() && !window.reached.has(one))
                      .map(one => one.outerHTML.slice(0, 120))
                    """
                );
            } while (missed.Length > 0 && ++rounds < 3);
            // Rows that come and go while somebody tabs through them are no fault of theirs.
            if (path is not ("/ui/traces" or "/ui/logs"))
                wrong.AddRange(missed.Select(one => $"{path}: {one}"));
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }
}
