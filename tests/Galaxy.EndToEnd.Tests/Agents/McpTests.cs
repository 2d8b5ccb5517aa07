using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Client;

namespace Galaxy.EndToEnd.Tests.Agents;

/// <summary>An agent that drives the cluster through <c>/mcp</c> with the official TypeScript client.</summary>
[Collection("shared system")]
public sealed class McpTests(RunningGalaxy galaxy)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string Client = Path.Combine(AppContext.BaseDirectory, "Agents", "Client");

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)));

    private static Process Start(string program, params string[] arguments) =>
        Process.Start(
            new ProcessStartInfo(program, arguments)
            {
                WorkingDirectory = Client,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                RedirectStandardInput = true,
            }
        )!;

    /// <summary>The next line of that kind; others are skipped.</summary>
    private static async Task<JsonNode> HearAsync(Process agent, string what)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (await agent.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            if (JsonNode.Parse(line) is { } said && said["what"]!.GetValue<string>() == what)
                return said;
        }
        throw new InvalidOperationException(
            $"the agent ended before '{what}': {await agent.StandardError.ReadToEndAsync(patience.Token)}"
        );
    }

    private static string Text(JsonNode said) => said["result"]!["content"]![0]!["text"]!.GetValue<string>();

    [Fact]
    public async Task An_agent_sees_every_capability_calls_them_follows_their_progress_and_is_told_of_new_ones()
    {
        Assert.SkipUnless(IsOnPath("node") && IsOnPath("npm"), "needs node and npm on PATH (Debian: nodejs, npm)");
        using (var install = Start("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"))
        {
            await install.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
            Assert.True(install.ExitCode == 0, "npm install: " + await install.StandardError.ReadToEndAsync());
        }
        using var agent = Start("node", "agent.mjs", new Uri(galaxy.Http.BaseAddress!, "/mcp").ToString(), galaxy.Key);
        try
        {
            var connected = await HearAsync(agent, "connected");
            Assert.Equal(
                ("galaxy", true),
                (connected["server"]!["name"]!.GetValue<string>(), connected["listChanged"]!.GetValue<bool>())
            );

            var tools = (await HearAsync(agent, "tools"))["tools"]!
                .AsArray()
                .ToDictionary(tool => tool!["name"]!.GetValue<string>(), tool => tool!);
            Assert.Superset(
                new HashSet<string>
                {
                    "cluster",
                    "echo",
                    "http_request",
                    "llm_chat",
                    "llm_models",
                    "nodes",
                    "sleep",
                    "system_info",
                    "tasks",
                    "tasks_submit",
                    "traces",
                    "discovery",
                },
                tools.Keys.ToHashSet()
            );
            Assert.All(tools.Values, tool => Assert.Equal("object", tool["inputSchema"]!["type"]!.GetValue<string>()));
            Assert.Equal("url", tools["http_request"]["inputSchema"]!["required"]![0]!.GetValue<string>());
            Assert.Equal(
                ["worker-1", "worker-2"],
                tools["echo"]["inputSchema"]!["properties"]!["galaxy_target"]!["enum"]!
                    .AsArray()
                    .Select(id => id!.GetValue<string>())
            );
            Assert.True(tools["cluster"]["annotations"]!["readOnlyHint"]!.GetValue<bool>());

            var slept = await HearAsync(agent, "slept");
            Assert.Equal(1, slept["result"]!["structuredContent"]!["slept_seconds"]!.GetValue<int>());
            var progress = slept["progress"]!.AsArray().Select(one => one!.GetValue<double>()).ToList();
            Assert.True(progress.Count >= 3 && progress.SequenceEqual(progress.Order()), string.Join(' ', progress));
            Assert.Equal(
                "to the second",
                (await HearAsync(agent, "echoed"))["result"]!["structuredContent"]!["text"]!.GetValue<string>()
            );
            Assert.Contains(
                "You said: hello from an agent",
                Text(await HearAsync(agent, "asked")),
                StringComparison.Ordinal
            );
            var failed = await HearAsync(agent, "failed");
            Assert.Equal(
                (true, "Connection refused (127.0.0.1:9)"),
                (failed["result"]!["isError"]!.GetValue<bool>(), Text(failed))
            );
            Assert.Contains(
                "no_such_tool",
                (await HearAsync(agent, "unknown"))["message"]!.GetValue<string>(),
                StringComparison.Ordinal
            );

            // Cancelling reaches the device.
            await HearAsync(agent, "sleeping");
            JsonNode? Sleeping(JsonNode? tasks) =>
                tasks!.AsArray().FirstOrDefault(task => task!["params"]?["seconds"]?.GetValue<int>() == 600);
            string? id = null;
            await Eventually.TrueAsync(async () =>
                (
                    id = Sleeping(JsonNode.Parse(await galaxy.Http.GetStringAsync("/api/v1/tasks?state=running")))
                        ?["task_id"]?.GetValue<string>()
                )
                    is not null
            );
            await agent.StandardInput.WriteLineAsync();
            Assert.Contains(
                "changed her mind",
                (await HearAsync(agent, "cancelled"))["message"]!.GetValue<string>(),
                StringComparison.Ordinal
            );
            Assert.Equal("Cancelled", (await galaxy.FinishedAsync(id!)).State.ToString());

            // A device that can something new joins, and leaves again.
            using (var device = new ClientWebSocket())
            {
                device.Options.SetRequestHeader("Authorization", "Bearer " + galaxy.Key);
                await device.ConnectAsync(
                    new UriBuilder(galaxy.Host.Url("gateway", "ws"))
                    {
                        Scheme = "ws",
                        Path = "/ws/device/newcomer",
                    }.Uri,
                    TestContext.Current.CancellationToken
                );
                await device.SendAsync(
                    """{"type":"handshake","version":"1.0","platform":"kettle","device_id":"newcomer","capabilities":[{"name":"coffee.brew","description":"Brews coffee","parameters":{"type":"object","properties":{"cups":{"type":"integer"}}}}]}"""u8.ToArray(),
                    WebSocketMessageType.Text,
                    true,
                    TestContext.Current.CancellationToken
                );
                while (
                    !(await HearAsync(agent, "changed"))["tools"]!
                        .AsArray()
                        .Any(tool => tool!.GetValue<string>() == "coffee_brew")
                )
                {
                    // An earlier change.
                }
            }
            while (
                (await HearAsync(agent, "changed"))["tools"]!
                    .AsArray()
                    .Any(tool => tool!.GetValue<string>() == "coffee_brew")
            )
            {
                // It is not gone yet.
            }
            await agent.StandardInput.WriteLineAsync();
            await HearAsync(agent, "closed");
        }
        finally
        {
            if (!agent.HasExited)
                agent.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public async Task An_agent_of_the_protocol_without_sessions_does_the_same()
    {
        var transport = new HttpClientTransport(
            new HttpClientTransportOptions
            {
                Endpoint = new Uri(galaxy.Http.BaseAddress!, "/mcp"),
                TransportMode = HttpTransportMode.StreamableHttp,
                AdditionalHeaders = new Dictionary<string, string> { ["Authorization"] = "Bearer " + galaxy.Key },
            }
        );
        await using var agent = await McpClient.CreateAsync(
            transport,
            cancellationToken: TestContext.Current.CancellationToken
        );
        Assert.Equal(("2026-07-28", null), (agent.NegotiatedProtocolVersion, agent.SessionId));

        var tools = await agent.ListToolsAsync(cancellationToken: TestContext.Current.CancellationToken);
        var progress = new System.Collections.Concurrent.ConcurrentQueue<float>();
        var slept = await tools
            .Single(tool => tool.Name == "sleep")
            .CallAsync(
                new Dictionary<string, object?> { ["seconds"] = 1 },
                new Told(progress),
                cancellationToken: TestContext.Current.CancellationToken
            );

        Assert.Equal(1, slept.StructuredContent!.Value.GetProperty("slept_seconds").GetInt32());
        Assert.True(progress.Count >= 3, $"{progress.Count}");
    }

    private sealed class Told(System.Collections.Concurrent.ConcurrentQueue<float> progress)
        : IProgress<ProgressNotificationValue>
    {
        public void Report(ProgressNotificationValue value) => progress.Enqueue(value.Progress);
    }
}
