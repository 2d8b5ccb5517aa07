namespace Galaxy.Hosts.Tests.Scenarios;

/// <summary>
/// The report's third scenario, <c>docs/scenarios/3-multi-master.md</c>: two servers in the cloud and a PC at home,
/// each of which can be the master, each with a front door.
/// </summary>
public class MultiMasterTests(FreshMachine fresh)
{
    private const string Stores = "node-a,node-b,node-c";

    [Fact]
    public async Task Any_of_three_can_lead_and_any_front_door_will_do()
    {
        Assert.SkipWhen(Internet.Missing is not null, Internet.Missing ?? "");
        var clone = await fresh.FolderAsync();
        await using var internet = await Internet.CreateAsync(
            new Dictionary<string, string[]>
            {
                ["cloud1"] = ["node-a"],
                ["cloud2"] = ["node-b"],
                ["home"] = ["node-c", "phone"],
            }
        );
        var machines = new Dictionary<string, Machine>();
        foreach (var id in (string[])["a", "b", "c"])
            machines["node-" + id] = new Machine(
                internet["node-" + id],
                clone,
                new()
                {
                    ["Galaxy_NODE_ID"] = "node-" + id,
                    ["Galaxy_NODE_ROLE"] = "coordinator",
                    ["FAILOVER_MODE"] = "multi-master",
                    ["GALAXY_STORES"] = Stores,
                }
            );
        using var phone = new Machine(
            internet["phone"],
            clone,
            new() { ["Galaxy_NODE_ID"] = "phone", ["MASTER_URL"] = "ws://node-c:8765,ws://node-a:8765" }
        );
        try
        {
            foreach (var machine in machines.Values)
                machine.Start();
            phone.Start("--worker");
            foreach (var machine in machines.Values)
                await machine.StartedAsync();
            foreach (var machine in machines.Values)
                await Eventually.TrueAsync(
                    () => machine.SeesAliveAsync("node-a", "node-b", "node-c"),
                    60,
                    () => machine.Output
                );
            await phone.ConnectedAsync();
            var (a, c) = (machines["node-a"], machines["node-c"]);
            var first = await c.DoneAsync("through the third door");
            await c.SetAsync("shopping", "milk");

            // Whoever leads dies, each in turn; the two others have the rest.
            foreach (var turn in Enumerable.Range(1, 2))
            {
                var leader = await a.KnownLeaderAsync();
                var others = machines.Where(machine => machine.Key != leader).ToList();
                await machines[leader].Process!.KillAsync();
                foreach (var (_, machine) in others)
                {
                    await Eventually.TrueAsync(
                        async () => await machine.LeaderAsync() is { } next && next != leader,
                        30,
                        () => machine.Output
                    );
                    Assert.Equal("milk", await machine.GetAsync("shopping"));
                    Assert.Equal("completed", (await machine.TaskAsync(first))?.GetProperty("state").GetString());
                    await machine.DoneAsync($"turn {turn}");
                }
                await others[0].Value.SetAsync("turn", $"{turn}");

                machines[leader].Start();
                await machines[leader].StartedAsync();
                foreach (var machine in machines.Values)
                    await Eventually.TrueAsync(
                        () => machine.SeesAliveAsync("node-a", "node-b", "node-c"),
                        60,
                        () => machine.Output
                    );
                await Eventually.TrueAsync(async () => await machines[leader].GetAsync("turn") == $"{turn}", 30);
                await machines[leader].DoneAsync($"back in turn {turn}");
                if (leader == "node-a")
                    continue;
                // So that the next turn is another's.
                using var promoted = await machines[leader]
                    .Http.PostAsync(
                        "/api/v1/failover/promote",
                        System.Net.Http.Json.JsonContent.Create(new { node_id = "node-a" })
                    );
                Assert.True(promoted.IsSuccessStatusCode, await promoted.Content.ReadAsStringAsync());
            }
        }
        catch (InvalidOperationException failure)
        {
            Assert.Fail(
                failure
                    + "\n"
                    + string.Join("\n\n", machines.Select(machine => $"{machine.Key}:\n{machine.Value.Output}"))
            );
        }
        finally
        {
            foreach (var machine in machines.Values)
                machine.Dispose();
        }
    }
}
