using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Galaxy.Contracts.Api;
using Galaxy.EndToEnd.Tests.Console;
using Galaxy.ServiceDefaults.Input;
using Microsoft.Playwright;

namespace Galaxy.EndToEnd.Tests.AppHost;

/// <summary>
/// The system on Aspire: restart policy, commands, one trace per failover in the dashboard and in the console.
/// </summary>
[Collection("system")]
public sealed class AspireSystemTests(AspireSystem system, Browser browser)
    : IClassFixture<AspireSystem>,
        IClassFixture<Browser>
{
    private static readonly string[] Steps =
    [
        "galaxy.failover",
        "detect",
        "acquire",
        "catch up",
        "announce",
        "gateway switch",
    ];

    public static TheoryData<string> Kinds =>
        ["redis", "coordinator-a", "router-a", "oneapi-a", "gateway", "console", "discovery", "worker-1"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task What_is_killed_is_restarted_within_ten_seconds_and_the_reason_is_shown(string name)
    {
        var before = system.ProcessId(name);
        var result = await system.CommandAsync(name, "kill");
        Assert.True(result.Success, result.Message);

        var started = Stopwatch.GetTimestamp();
        await Eventually.TrueAsync(
            () =>
                Task.FromResult(
                    system.ProcessId(name) is { } now
                        && now != before
                        && system.Snapshot(name).HealthStatus
                            is null
                                or Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy
                ),
            seconds: 30
        );
        Assert.True(
            Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10),
            $"{Stopwatch.GetElapsedTime(started)}"
        );
        Assert.Contains(system.Snapshot(name).Properties, property =>
            property.Name == "Last end" && property.Value!.ToString()!.Contains("SIGKILL", StringComparison.Ordinal)
        );
        await Eventually.TrueAsync(async () => await system.ClusterAsync() is { Leader: not null, DevicesOnline: 2 });
    }

    [Fact]
    public async Task A_killed_leader_is_replaced_rejoins_and_its_failover_is_one_trace_in_both()
    {
        await system.SettledAsync();
        var old = await system.LeaderAsync();
        await system.CommandAsync(old.NodeId, "kill");

        await Eventually.TrueAsync(async () =>
            await system.ClusterAsync() is { Leader: { } leader } && leader.Token > old.Token
        );
        await Eventually.TrueAsync(async () =>
            await system.ClusterAsync() is { } cluster && cluster.Nodes.Count(node => node.State == "alive") == 3
        );
        FailoverRecord? record = null;
        await Eventually.TrueAsync(async () =>
        {
            var records = await system.Http.GetFromJsonAsync<List<FailoverRecord>>(
                "/api/v1/failovers",
                GalaxyJson.Options
            );
            record = records!.Find(found => found.OldToken == old.Token);
            return record is not null;
        });
        await Eventually.TrueAsync(async () =>
        {
            // Its parts arrive within a second; before the first one nobody knows of it.
            using var answer = await system.Http.GetAsync("/api/v1/traces/" + record!.TraceId);
            if (answer.StatusCode == HttpStatusCode.NotFound)
                return false;
            var spans = await answer.Content.ReadFromJsonAsync<JsonElement[]>() ?? [];
            return Steps.All(step => spans.Any(span => span.GetProperty("name").GetString() == step));
        });

        var page = await DashboardAsync();
        await page.GotoAsync(new Uri(system.Dashboard, "/traces/detail/" + record!.TraceId).ToString());
        foreach (var step in Steps)
            await Assertions
                .Expect(page.GetByText(step, new PageGetByTextOptions { Exact = true }).First)
                .ToBeVisibleAsync();
        // Parts of other processes may come a second later; then both know the same.
        await Eventually.TrueAsync(async () =>
        {
            var count = (await system.Http.GetFromJsonAsync<JsonElement[]>("/api/v1/traces/" + record.TraceId))!.Length;
            return (await page.GetByText("Total spans").InnerTextAsync()).EndsWith(
                $" {count}",
                StringComparison.Ordinal
            );
        });
        await Browser.PictureAsync(page, "dashboard-failover");
    }

    [Fact]
    public async Task The_dashboard_shows_everything_healthy_without_a_warning_and_promotes_a_coordinator()
    {
        await system.SettledAsync();
        var page = await DashboardAsync();
        foreach (var name in system.Names)
            await Assertions
                .Expect(page.GetByText(name, new PageGetByTextOptions { Exact = true }).First)
                .ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("Console (one-time link)")).ToBeVisibleAsync();
        foreach (var name in system.Names)
            await Assertions
                .Expect(
                    page.GetByRole(AriaRole.Row)
                        .Filter(new LocatorFilterOptions { HasText = name })
                        .GetByText("Running", new LocatorGetByTextOptions { Exact = true })
                        .First
                )
                .ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("certificate")).ToHaveCountAsync(0);
        await Browser.PictureAsync(page, "dashboard-resources");

        var leader = await system.LeaderAsync();
        var next = system.Names.First(name =>
            name.StartsWith("coordinator-", StringComparison.Ordinal) && name != leader.NodeId
        );
        await page.GetByRole(AriaRole.Row)
            .Filter(new LocatorFilterOptions { HasText = next })
            .GetByTitle("Makes this coordinator the leader.")
            .ClickAsync();
        await page.Locator("fluent-button").Filter(new LocatorFilterOptions { HasText = "Yes" }).First.ClickAsync();

        await Eventually.TrueAsync(async () => (await system.ClusterAsync())?.Leader?.NodeId == next);
    }

    [Fact]
    public async Task A_resource_that_is_stopped_by_a_person_stays_stopped_until_a_person_starts_it()
    {
        Assert.True((await system.CommandAsync("router-b", KnownResourceCommands.StopCommand)).Success);
        await Eventually.TrueAsync(() => Task.FromResult(system.ProcessId("router-b") is null));
        // Longer than the restart policy waits.
        await Task.Delay(TimeSpan.FromSeconds(2));
        Assert.Null(system.ProcessId("router-b"));

        Assert.True((await system.CommandAsync("router-b", KnownResourceCommands.StartCommand)).Success);
        await system.HealthyAsync("router-b", seconds: 30);

        // The stop is over: from now on its end is a failure again.
        var before = system.ProcessId("router-b");
        Assert.True((await system.CommandAsync("router-b", "kill")).Success);
        await Eventually.TrueAsync(
            () => Task.FromResult(system.ProcessId("router-b") is { } now && now != before),
            seconds: 10
        );
    }

    [Fact]
    public async Task A_resource_that_dies_at_once_every_time_is_given_up_and_starts_when_the_cause_is_gone()
    {
        await system.CommandAsync("router-b", KnownResourceCommands.StopCommand);
        await Eventually.TrueAsync(() => Task.FromResult(system.ProcessId("router-b") is null));
        var port = system.App.GetEndpoint("router-b", "http").Port;
        using (var taken = new TcpListener(IPAddress.Loopback, port))
        {
            taken.Start();
            await system.CommandAsync("router-b", KnownResourceCommands.StartCommand);

            await Eventually.TrueAsync(
                () => Task.FromResult(system.Snapshot("router-b").State?.Text == "Given up"),
                seconds: 120
            );
            var reason = system
                .Snapshot("router-b")
                .Properties.Single(property => property.Name == "Last end")
                .Value?.ToString();
            Assert.Contains("exit code 3", reason, StringComparison.Ordinal);
        }

        await system.CommandAsync("router-b", KnownResourceCommands.StartCommand);
        await system.HealthyAsync("router-b", seconds: 30);
    }

    [Fact]
    public async Task A_paused_leader_is_replaced_and_goes_on_as_a_follower()
    {
        await system.SettledAsync();
        var old = await system.LeaderAsync();
        Assert.True((await system.CommandAsync(old.NodeId, "pause")).Success);
        await Eventually.TrueAsync(async () =>
            await system.ClusterAsync() is { Leader: { } leader, DevicesOnline: 2 } && leader.NodeId != old.NodeId
        );

        Assert.True((await system.CommandAsync(old.NodeId, "resume")).Success);
        await Eventually.TrueAsync(async () =>
            await system.ClusterAsync() is { Leader: not null, DevicesOnline: 2 } cluster
            && cluster.Nodes.Count(node => node.State == "alive") == 3
        );
    }

    [Fact]
    public async Task Commands_say_what_they_did_or_why_not()
    {
        await system.SettledAsync();
        var leader = await system.LeaderAsync();
        var follower = system.Names.First(name =>
            name.StartsWith("coordinator-", StringComparison.Ordinal) && name != leader.NodeId
        );

        var refused = await system.CommandAsync(follower, "hand-over");
        Assert.False(refused.Success);
        Assert.Contains(leader.NodeId, refused.Message, StringComparison.Ordinal);

        Assert.True((await system.CommandAsync(follower, "drain")).Success);
        Assert.True((await system.CommandAsync(follower, "undrain")).Success);
        var promoted = await system.CommandAsync(follower, "promote");
        Assert.True(promoted.Success, promoted.Message);
        Assert.Contains(follower, promoted.Message, StringComparison.Ordinal);
    }

    private async Task<IPage> DashboardAsync()
    {
        var page = await browser.OpenAsync(width: 1500);
        await page.GotoAsync(system.Dashboard.ToString());
        return page;
    }
}
