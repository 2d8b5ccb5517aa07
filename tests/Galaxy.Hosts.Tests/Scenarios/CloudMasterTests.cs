using System.Diagnostics;

namespace Galaxy.Hosts.Tests.Scenarios;

/// <summary>
/// The report's first scenario, <c>docs/scenarios/1-cloud-master.md</c>: a master in the cloud, workers at home that
/// reach it over the internet, and a standby that the page adds.
/// </summary>
public class CloudMasterTests(FreshMachine fresh)
{
    [Fact]
    public async Task Workers_at_home_serve_a_master_in_the_cloud_whatever_happens_to_it()
    {
        Assert.SkipWhen(Internet.Missing is not null, Internet.Missing ?? "");
        var clone = await fresh.FolderAsync();
        await using var internet = await Internet.CreateAsync(
            new Dictionary<string, string[]>
            {
                ["home"] = ["pc", "tablet"],
                ["cloud"] = ["cloud-server"],
                ["second"] = ["other-server"],
            }
        );
        using var cloud = new Machine(
            internet["cloud-server"],
            clone,
            new() { ["Galaxy_NODE_ID"] = "master", ["Galaxy_NODE_ROLE"] = "coordinator" }
        );
        using var pc = new Machine(internet["pc"], clone, Worker("worker-pc"));
        using var tablet = new Machine(internet["tablet"], clone, Worker("tablet"));
        cloud.Start();
        pc.Start("--worker");
        tablet.Start("--worker");
        await cloud.StartedAsync();
        await cloud.LedByAsync("master");
        await pc.ConnectedAsync();
        await tablet.ConnectedAsync();
        var first = await cloud.DoneAsync("from the cloud", "worker-pc");
        await cloud.SetAsync("shopping", "milk");

        // Its coordinator is killed: started again by its supervisor, it knows what it knew.
        await KillAsync(cloud, "coordinator");
        await cloud.DoneAsync("after a crash", "tablet");
        await IntactAsync(cloud);

        // The whole machine: everything of it dies at once.
        await cloud.Process!.KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(2));
        cloud.Start();
        await cloud.StartedAsync();
        await cloud.LedByAsync("master");
        await IntactAsync(cloud);
        await cloud.DoneAsync("after a reboot", "worker-pc");

        // A second server stands by: typed as the report writes it, with the master's address.
        using var other = new Machine(
            internet["other-server"],
            clone,
            new()
            {
                ["Galaxy_NODE_ID"] = "standby",
                ["Galaxy_NODE_ROLE"] = "standby",
                ["PRIMARY_URL"] = "ws://cloud-server:8765",
            }
        );
        other.Start("--standby");
        await other.StartedAsync();
        Assert.Contains(other.Process!.Output, line =>
            line.StartsWith("warning: the only store is on cloud-server", StringComparison.Ordinal)
        );
        await Eventually.TrueAsync(() => other.SeesAliveAsync("master", "standby"), 30, () => other.Output);
        await cloud.RecoverAfterAsync(3);
        // The master's coordinator hangs; nothing of it answers, and nothing proves that it is dead.
        var hung = await cloud.PidAsync("coordinator");
        await SignalAsync("-STOP", hung);
        try
        {
            await other.LedByAsync("standby");
            await IntactAsync(other);
            await other.DoneAsync("led by the standby", "tablet");
        }
        finally
        {
            await SignalAsync("-CONT", hung);
        }
        // It is back, rejoins, and is given leadership back.
        await other.LedByAsync("master", 60);
        await Eventually.TrueAsync(() => cloud.SeesAliveAsync("master", "standby"), 30, () => cloud.Output);
        await cloud.DoneAsync("led by the master again", "worker-pc");
        await IntactAsync(cloud);

        async Task IntactAsync(Machine machine)
        {
            Assert.Equal("milk", await machine.GetAsync("shopping"));
            Assert.Equal("completed", (await machine.TaskAsync(first))?.GetProperty("state").GetString());
        }
    }

    private static Dictionary<string, string> Worker(string id) =>
        new()
        {
            ["Galaxy_NODE_ID"] = id,
            ["Galaxy_NODE_ROLE"] = "worker",
            ["MASTER_URL"] = "ws://cloud-server:8765",
        };

    internal static async Task KillAsync(Machine machine, string resource) =>
        await SignalAsync("-KILL", await machine.PidAsync(resource));

    internal static Task SignalAsync(string signal, int pid) => Command.RunAsync("kill", signal, $"{pid}");
}
