using System.Diagnostics;
using System.Net.Http.Json;

namespace Galaxy.Hosts.Tests.Scenarios;

/// <summary>
/// The report's second scenario, <c>docs/scenarios/2-local-master-cloud-standby.md</c>: the master at home, a standby
/// in the cloud that takes over and gives back, and a small third machine that keeps a store, so that whoever is not
/// cut off can go on.
/// </summary>
public class LocalMasterTests(FreshMachine fresh)
{
    private const string Stores = "local-pc,cloud-server,third";
    private static readonly TimeSpan Cut = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_cloud_takes_over_from_home_and_gives_back()
    {
        Assert.SkipWhen(Internet.Missing is not null, Internet.Missing ?? "");
        var clone = await fresh.FolderAsync();
        await using var internet = await Internet.CreateAsync(
            new Dictionary<string, string[]>
            {
                ["home"] = ["local-pc", "laptop"],
                ["cloud"] = ["cloud-server"],
                ["elsewhere"] = ["third"],
            }
        );
        using var home = new Machine(internet["local-pc"], clone, Node("master-local", "coordinator"));
        using var cloud = new Machine(
            internet["cloud-server"],
            clone,
            Node("standby-cloud", "standby", "ws://local-pc:8765")
        );
        using var third = new Machine(internet["third"], clone, new() { ["GALAXY_STORES"] = Stores });
        using var laptop = new Machine(
            internet["laptop"],
            clone,
            new()
            {
                ["Galaxy_NODE_ID"] = "laptop",
                ["Galaxy_NODE_ROLE"] = "worker",
                ["MASTER_URL"] = "ws://local-pc:8765,ws://cloud-server:8765",
            }
        );
        third.Start("--witness");
        home.Start();
        cloud.Start("--standby");
        laptop.Start("--worker");
        await home.StartedAsync();
        await cloud.StartedAsync();
        await Eventually.TrueAsync(() => home.SeesAliveAsync("master-local", "standby-cloud"), 60, () => home.Output);
        await home.LedByAsync("master-local", 90);
        await cloud.LedByAsync("master-local");
        await laptop.ConnectedAsync();
        var first = await home.DoneAsync("from home");
        await home.SetAsync("shopping", "milk");
        await Eventually.TrueAsync(async () => await cloud.GetAsync("shopping") == "milk");
        await home.RecoverAfterAsync(3);

        // The PC dies, with everything on it.
        await home.Process!.KillAsync();
        await cloud.LedByAsync("standby-cloud");
        await IntactAsync(cloud);
        var second = await cloud.DoneAsync("from the cloud");
        await cloud.SetAsync("while away", "tea");

        // It is back, rejoins, and leads again.
        home.Start();
        await home.StartedAsync();
        await home.LedByAsync("master-local", 60);
        await cloud.LedByAsync("master-local");
        await IntactAsync(home);
        Assert.Equal("tea", await home.GetAsync("while away"));
        Assert.Equal("completed", (await home.TaskAsync(second))?.GetProperty("state").GetString());

        // The line of the home is cut for a minute: the cloud and the third machine are the majority.
        await internet.CutAsync("home");
        var cut = Stopwatch.GetTimestamp();
        await cloud.LedByAsync("standby-cloud");
        await IntactAsync(cloud);
        await cloud.SetAsync("cloud side", "from the cloud");
        // What is available data goes on at home as well, with nobody to lead.
        Assert.Equal("milk", await home.GetAsync("shopping"));
        await home.SetAsync("home side", "from home");
        Assert.Null(await home.LeaderAsync());
        await Eventually.NeverAsync(async () => await home.LeaderAsync() is not null, Left(cut));
        await internet.MendAsync("home");
        await cloud.LedByAsync("master-local", 60);
        await home.LedByAsync("master-local");
        await Eventually.TrueAsync(
            async () =>
                await home.GetAsync("cloud side") == "from the cloud"
                && await cloud.GetAsync("home side") == "from home",
            30
        );
        var third1 = await home.DoneAsync("at home again");

        // The line of the cloud is cut: home goes on as if nothing were.
        await internet.CutAsync("cloud");
        cut = Stopwatch.GetTimestamp();
        await home.DoneAsync("home alone");
        await home.SetAsync("home side", "home alone");
        await Eventually.TrueAsync(() => home.SeesAliveAsync("master-local"), 60, () => home.Output);
        await Eventually.NeverAsync(async () => await home.LeaderAsync() != "master-local", Left(cut));
        Assert.NotEqual("standby-cloud", await cloud.LeaderAsync());
        await internet.MendAsync("cloud");
        await Eventually.TrueAsync(() => cloud.SeesAliveAsync("master-local", "standby-cloud"), 60, () => cloud.Output);
        await cloud.LedByAsync("master-local");
        await Eventually.TrueAsync(async () => await cloud.GetAsync("home side") == "home alone", 30);
        Assert.Equal("completed", (await cloud.TaskAsync(third1))?.GetProperty("state").GetString());
        await IntactAsync(cloud);

        async Task IntactAsync(Machine machine)
        {
            Assert.Equal("milk", await machine.GetAsync("shopping"));
            Assert.Equal("completed", (await machine.TaskAsync(first))?.GetProperty("state").GetString());
        }
    }

    private static double Left(long cut) => Math.Max(1, (Cut - Stopwatch.GetElapsedTime(cut)).TotalSeconds);

    private static Dictionary<string, string> Node(string id, string role, string primary = "") =>
        new()
        {
            ["Galaxy_NODE_ID"] = id,
            ["Galaxy_NODE_ROLE"] = role,
            ["FAILOVER_MODE"] = "active-passive",
            ["GALAXY_LEASE"] = "wan",
            ["GALAXY_STORES"] = Stores,
            ["PRIMARY_URL"] = primary,
        };
}
