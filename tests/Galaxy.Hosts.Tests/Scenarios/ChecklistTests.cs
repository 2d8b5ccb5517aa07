using System.Net.Http.Json;
using System.Text.Json;

namespace Galaxy.Hosts.Tests.Scenarios;

/// <summary>
/// The commands of the report's check list and of its quick deployment, typed as they stand there, on machines that
/// have only the repository and the .NET SDK.
/// </summary>
public class ChecklistTests(FreshMachine fresh)
{
    private const string Master = """
        # 1. 设置节点 ID
        export Galaxy_NODE_ID="master-$(hostname)"

        # 2. 设置角色
        export Galaxy_NODE_ROLE="coordinator"

        # 3. 配置发现
        export NODE71_MDNS_ENABLED=true
        export NODE71_UPNP_ENABLED=true
        export NODE71_BROADCAST_ENABLED=true

        # 4. 配置端口
        export WEB_UI_PORT=8080
        export API_PORT=8000
        export WEBSOCKET_PORT=8765

        # 5. 启动
        python main.py
        """;

    private const string Worker = """
        # 1. 设置节点 ID
        export Galaxy_NODE_ID="worker-$(hostname)"

        # 2. 设置角色
        export Galaxy_NODE_ROLE="worker"

        # 3. 连接主节点
        export MASTER_URL="ws://master-host:8765"

        # 4. 启动
        python main.py --worker
        """;

    private const string QuickMaster = """
        export Galaxy_NODE_ID="master"
        export Galaxy_NODE_ROLE="coordinator"
        ./start.sh
        """;

    private const string QuickWorker = """
        export Galaxy_NODE_ID="worker-$(hostname)"
        export Galaxy_NODE_ROLE="worker"
        export MASTER_URL="ws://master-host:8765"
        ./start.sh --worker
        """;

    [Fact]
    public async Task The_commands_of_the_report_lead_to_a_cluster_that_works()
    {
        Assert.SkipWhen(Internet.Missing is not null, Internet.Missing ?? "");
        Assert.SkipUnless(Command.IsInstalled("python3"), "the report starts its programs with python");
        var clone = await fresh.FolderAsync();
        Assert.Contains("a fresh key is in .env", fresh.Said);
        Assert.Contains("Ready.", fresh.Said);
        var key = (await File.ReadAllLinesAsync(Path.Combine(clone, ".env"))).Single(line =>
            line.StartsWith("GALAXY_API_KEY=", StringComparison.Ordinal)
        )["GALAXY_API_KEY=".Length..];
        Assert.True(key.Length > 30);

        await using var internet = await Internet.CreateAsync(
            new Dictionary<string, string[]> { ["home"] = ["master-host", "other"] }
        );
        var (master, other) = (internet["master-host"], internet["other"]);
        // "python", as the report calls it, where Debian has python3 only.
        var path =
            $"{Directory.CreateDirectory(Path.Combine(other.Data, "bin")).FullName}:{Environment.GetEnvironmentVariable("PATH")}";
        File.CreateSymbolicLink(Path.Combine(other.Data, "bin", "python"), "/usr/bin/python3");
        var environment = new Dictionary<string, string> { ["PATH"] = path };
        // The other machine, with the same key.
        using var folder = new Machine(other, clone, [], key);

        foreach (
            var (typedAtMaster, typedAtWorker, node) in new[]
            {
                (Master, Worker, "master-" + Environment.MachineName),
                (QuickMaster, QuickWorker, "master"),
            }
        )
        {
            var first = master.StartIn(clone, "bash", environment, "-c", typedAtMaster);
            var second = other.StartIn(folder.Folder, "bash", environment, "-c", typedAtWorker);
            await SaysAsync(first, "processes are healthy", 90);
            await SaysAsync(second, "Connected to", 60);
            using var http = master.Http("http://127.0.0.1:8000", key);
            var cluster = await http.GetFromJsonAsync<JsonElement>("/api/v1/cluster");
            Assert.Equal(node, cluster.GetProperty("leader").GetProperty("node_id").GetString());
            using var submitted = await http.PostAsJsonAsync(
                "/api/v1/tasks",
                new
                {
                    action = "echo",
                    @params = new { text = "as it stands" },
                    target_device = "worker-" + Environment.MachineName,
                }
            );
            var id = (await submitted.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("task_id").GetString();
            await Eventually.TrueAsync(
                async () =>
                    (await http.GetFromJsonAsync<JsonElement>("/api/v1/tasks/" + id)).GetProperty("state").GetString()
                    == "completed",
                30,
                () => string.Join('\n', second.Output)
            );
            // The three doors of the report, from the other machine.
            using var there = other.Http($"http://{master.Address}:8080", key);
            Assert.Contains("Galaxy", await there.GetStringAsync("/sign-in"));
            await EndAsync(master, first);
            await EndAsync(other, second);
        }
    }

    // As Ctrl-C does: the program and what it started end in order.
    private static async Task EndAsync(LabHost host, LabProcess shell)
    {
        foreach (
            var pid in (await Command.RunAsync("ip", "netns", "pids", host.Name)).Split(
                '\n',
                StringSplitOptions.RemoveEmptyEntries
            )
        )
        {
            if (
                File.Exists($"/proc/{pid}/cmdline")
                && (await File.ReadAllTextAsync($"/proc/{pid}/cmdline")).Contains(
                    "galaxy.dll\0start",
                    StringComparison.Ordinal
                )
            )
                await Command.TryAsync("kill", "-INT", pid);
        }
        await Eventually.TrueAsync(() => Task.FromResult(shell.HasEnded), 60, () => string.Join('\n', shell.Output));
        await Eventually.TrueAsync(
            async () => string.IsNullOrWhiteSpace(await Command.RunAsync("ip", "netns", "pids", host.Name)),
            20
        );
    }

    private static Task SaysAsync(LabProcess process, string what, double seconds) =>
        Eventually.TrueAsync(
            () =>
            {
                Assert.False(process.HasEnded, string.Join('\n', process.Output));
                return Task.FromResult(process.Output.Any(line => line.Contains(what, StringComparison.Ordinal)));
            },
            seconds,
            () => string.Join('\n', process.Output.TakeLast(60))
        );
}
