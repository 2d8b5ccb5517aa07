using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.EndToEnd.Tests.State;

/// <summary>Two coordinators of which each ran while the other did not: what they wrote meets.</summary>
[Collection("system")]
public sealed class CutOffTests(TwoCoordinators galaxy) : IClassFixture<TwoCoordinators>
{
    private const string One = "coordinator-local";
    private const string Two = "coordinator-cloud";

    private static readonly string[] Policies =
    [
        "last_write_wins",
        "first_write_wins",
        "merge",
        "highest_priority",
        "manual",
    ];

    private static async Task WriteAsync(HttpClient client, string policy, string value, int priority)
    {
        using var answer = await client.PutAsync(
            $"/api/v1/state/cut/{policy}?policy={policy}&priority={priority}",
            new StringContent(value, Encoding.UTF8, "application/json")
        );
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<StateEntryView?> ReadAsync(HttpClient client, string policy)
    {
        try
        {
            using var answer = await client.GetAsync("/api/v1/state/cut/" + policy);
            return answer.IsSuccessStatusCode
                ? await answer.Content.ReadFromJsonAsync<StateEntryView>(GalaxyJson.Options)
                : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    [Fact]
    public async Task Edits_of_two_nodes_that_were_cut_off_meet_as_each_policy_says_and_a_person_resolves_the_conflict()
    {
        using var one = galaxy.Client(One);
        using var two = galaxy.Client(Two);
        foreach (var policy in Policies)
            await WriteAsync(one, policy, """{"base":true}""", 0);
        await Eventually.TrueAsync(async () =>
            (await Task.WhenAll(Policies.Select(policy => ReadAsync(two, policy)))).All(entry => entry is not null)
        );

        await galaxy.Host.StopAsync(Two);
        foreach (var policy in Policies)
            await WriteAsync(one, policy, """{"base":true,"one":1}""", 9);
        await galaxy.Host.StopAsync(One);
        galaxy.Host.Start(Two);
        await Eventually.TrueAsync(async () => await ReadAsync(two, "manual") is not null);
        foreach (var policy in Policies)
            await WriteAsync(two, policy, """{"base":true,"two":2}""", 1);
        galaxy.Host.Start(One);

        foreach (var client in new[] { one, two })
        {
            await Eventually.TrueAsync(async () => await ReadAsync(client, "manual") is { Contested: true });
            Assert.Equal(
                """{"base":true,"two":2}""",
                (await ReadAsync(client, "last_write_wins"))!.Value!.ToJsonString()
            );
            Assert.Equal(
                """{"base":true,"one":1}""",
                (await ReadAsync(client, "first_write_wins"))!.Value!.ToJsonString()
            );
            Assert.Equal(
                """{"base":true,"one":1}""",
                (await ReadAsync(client, "highest_priority"))!.Value!.ToJsonString()
            );
            Assert.Equal(
                """{"base":true,"one":1,"two":2}""",
                (await ReadAsync(client, "merge"))!.Value!.ToJsonString()
            );
        }

        var conflict = Assert.Single(
            (await two.GetFromJsonAsync<List<StateConflict>>("/api/v1/state/conflicts", GalaxyJson.Options))!
        );
        Assert.Equal(
            [Two, One],
            conflict.Siblings.Select(sibling => sibling.Origin.Split('~')[0]).Order(StringComparer.Ordinal)
        );
        var chosen = conflict.Siblings.Single(sibling => sibling.Origin.StartsWith(One, StringComparison.Ordinal));
        using var resolved = await two.PostAsJsonAsync(
            "/api/v1/state/conflicts/cut/manual",
            new JsonObject { ["choose"] = chosen.Write }
        );
        Assert.True(resolved.IsSuccessStatusCode, await resolved.Content.ReadAsStringAsync());
        foreach (var client in new[] { one, two })
        {
            await Eventually.TrueAsync(async () =>
                (
                    await client.GetFromJsonAsync<List<StateConflict>>("/api/v1/state/conflicts", GalaxyJson.Options)
                )!.Count == 0
            );
            Assert.Equal("""{"base":true,"one":1}""", (await ReadAsync(client, "manual"))!.Value!.ToJsonString());
        }
    }
}

/// <summary>A local coordinator and one in the cloud.</summary>
public sealed class TwoCoordinators : RunningGalaxy
{
    protected override string[] Options => ["--scenario", "active-passive"];
}
