using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.EndToEnd.Tests.Devices;

/// <summary>Groups as sets that many people change at once, at one coordinator and at three.</summary>
[Collection("shared system")]
public sealed class GroupTests(RunningGalaxy galaxy) : IAsyncLifetime
{
    private readonly string _group = "group-" + Guid.NewGuid().ToString("N")[..8];
    private HttpClient[] _coordinators = [];

    public async ValueTask InitializeAsync()
    {
        await galaxy.SettledAsync();
        _coordinators = [.. ((string[])["coordinator-a", "coordinator-b", "coordinator-c"]).Select(galaxy.Client)];
    }

    public async ValueTask DisposeAsync()
    {
        using var removed = await galaxy.Http.DeleteAsync("/groups/" + _group);
        foreach (var client in _coordinators)
            client.Dispose();
    }

    private async Task MakeAsync(params IEnumerable<string> devices)
    {
        using var made = await galaxy.Http.PostAsJsonAsync("/groups", new { group_id = _group, devices });
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
    }

    private async Task AddAsync(HttpClient client, string device)
    {
        using var answer = await client.PutAsync($"/api/v1/groups/{_group}/devices/{device}", null);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
        Assert.Contains(device, (await answer.Content.ReadFromJsonAsync<GroupView>(GalaxyJson.Options))!.Devices);
    }

    private async Task RemoveAsync(HttpClient client, string device)
    {
        using var answer = await client.DeleteAsync($"/api/v1/groups/{_group}/devices/{device}");
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
        Assert.DoesNotContain(device, (await answer.Content.ReadFromJsonAsync<GroupView>(GalaxyJson.Options))!.Devices);
    }

    private async Task<string?> DevicesAsync(HttpClient client)
    {
        using var answer = await client.GetAsync("/groups/" + _group);
        return answer.IsSuccessStatusCode
            ? string.Join(' ', (await answer.Content.ReadFromJsonAsync<GroupView>(GalaxyJson.Options))!.Devices)
            : null;
    }

    private Task ShowsAsync(HttpClient client, string device, bool isMember) =>
        Eventually.TrueAsync(async () =>
            (await DevicesAsync(client))?.Split(' ').Contains(device, StringComparer.Ordinal) == isMember
        );

    /// <summary>Waits until every coordinator and the gateway show exactly these.</summary>
    private async Task EverywhereAsync(IEnumerable<string> devices)
    {
        var expected = string.Join(' ', devices.Order(StringComparer.Ordinal));
        foreach (var client in (HttpClient[])[.. _coordinators, galaxy.Http])
            await Eventually.TrueAsync(async () => await DevicesAsync(client) == expected);
    }

    [Fact]
    public async Task Sixty_changes_at_once_over_three_coordinators_are_all_kept()
    {
        var old = Enumerable.Range(0, 30).Select(i => $"old-{i}").ToList();
        var added = Enumerable.Range(0, 30).Select(i => $"new-{i}").ToList();
        await MakeAsync(old);
        await EverywhereAsync(old);

        await Task.WhenAll(
            old.Zip(added)
                .SelectMany(
                    (pair, i) =>
                        (Task[])
                            [
                                RemoveAsync(_coordinators[i % 3], pair.First),
                                AddAsync(_coordinators[(i + 1) % 3], pair.Second),
                            ]
                )
        );

        await EverywhereAsync(added);
    }

    [Fact]
    public async Task Three_hundred_changes_at_once_through_the_gateway_are_all_kept()
    {
        var old = Enumerable.Range(0, 100).Select(i => $"old-{i}").ToList();
        var added = Enumerable.Range(0, 200).Select(i => $"new-{i}").ToList();
        await MakeAsync([.. old, "stays"]);

        await Task.WhenAll(
            old.Select(device => RemoveAsync(galaxy.Http, device))
                .Concat(added.Select(device => AddAsync(galaxy.Http, device)))
        );

        await EverywhereAsync([.. added, "stays"]);
    }

    [Fact]
    public async Task Of_changes_of_one_device_on_two_coordinators_the_later_holds()
    {
        await MakeAsync();
        await EverywhereAsync([]);
        for (var i = 0; i < 10; i++)
        {
            // Later is who has seen the other change: within a millisecond, nobody can tell two coordinators' times
            // apart.
            var (first, second) = (_coordinators[i % 3], _coordinators[(i + 1) % 3]);
            await AddAsync(first, "gone-" + i);
            await ShowsAsync(second, "gone-" + i, isMember: true);
            await RemoveAsync(second, "gone-" + i);
            await AddAsync(second, "there-" + i);
            await ShowsAsync(first, "there-" + i, isMember: true);
            await RemoveAsync(first, "there-" + i);
            await ShowsAsync(second, "there-" + i, isMember: false);
            await AddAsync(second, "there-" + i);
        }
        await EverywhereAsync(Enumerable.Range(0, 10).Select(i => "there-" + i));
    }

    [Fact]
    public async Task A_group_that_is_made_again_has_the_named_devices_only_and_a_removed_one_none()
    {
        await MakeAsync("a", "b");
        await AddAsync(galaxy.Http, "c");
        await MakeAsync("b", "d");
        await EverywhereAsync(["b", "d"]);

        using var removed = await galaxy.Http.DeleteAsync("/groups/" + _group);
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        using var late = await galaxy.Http.PutAsync($"/groups/{_group}/devices/x", null);
        Assert.Equal(HttpStatusCode.NotFound, late.StatusCode);
        await MakeAsync("e");
        await EverywhereAsync(["e"]);
    }

    [Fact]
    public async Task A_group_takes_a_thousand_devices_and_no_more()
    {
        await MakeAsync(Enumerable.Range(0, 1000).Select(i => $"d-{i}"));
        using var more = await galaxy.Http.PutAsync($"/groups/{_group}/devices/more", null);
        Assert.Equal(HttpStatusCode.Conflict, more.StatusCode);
        await AddAsync(galaxy.Http, "d-5");
        await RemoveAsync(galaxy.Http, "d-5");
        await AddAsync(galaxy.Http, "more");
    }

    [Theory]
    [InlineData("groups")]
    [InlineData("group_members")]
    public async Task The_state_is_no_way_around(string ns)
    {
        await MakeAsync("a");
        using var put = await galaxy.Http.PutAsync(
            $"/api/v1/state/{ns}/{_group}",
            new StringContent("\"garbage\"", Encoding.UTF8, "application/json")
        );
        using var deleted = await galaxy.Http.DeleteAsync($"/api/v1/state/{ns}/{_group}/a");
        using var restored = await galaxy.Http.PostAsJsonAsync(
            "/api/v1/state/restore",
            new { snapshot = "any", namespaces = new[] { "access" } }
        );

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (put.StatusCode, deleted.StatusCode));
        Assert.Equal(HttpStatusCode.Forbidden, restored.StatusCode);
        Assert.Contains(await galaxy.Http.GetFromJsonAsync<GroupView[]>("/groups", GalaxyJson.Options) ?? [], group =>
            group.GroupId == _group && group.Devices.SequenceEqual(["a"])
        );
    }
}
