using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Galaxy.Contracts.Api;
using Galaxy.LocalHosting;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Bench.Console;

/// <summary>The whole local system, as a person starts it.</summary>
internal sealed class RunningSystem : IAsyncDisposable
{
    private readonly string _data;

    private RunningSystem(LocalCluster host, string data)
    {
        (Host, _data, Key) = (host, data, host.Key);
        Http = new HttpClient { BaseAddress = host.Url("gateway", "api") };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
    }

    public LocalCluster Host { get; }

    public HttpClient Http { get; }

    public string Key { get; }

    public static async Task<RunningSystem> StartAsync()
    {
        var data = Directory.CreateTempSubdirectory("galaxy-bench-").FullName;
        string[] options =
        [
            "--GALAXY_DATA",
            data,
            "--WEB_UI_PORT",
            "0",
            "--API_PORT",
            "0",
            "--WEBSOCKET_PORT",
            "0",
            "--OTLP_GRPC_PORT",
            "0",
            "--OTLP_HTTP_PORT",
            "0",
            "--NODE71_BROADCAST_PORT",
            "47023",
        ];
        var system = new RunningSystem(await LocalCluster.StartAsync(options, TimeSpan.FromSeconds(120)), data);
        while (
            (await system.Http.GetFromJsonAsync<ClusterResponse>("/api/v1/cluster", GalaxyJson.Options))
                is not { Leader: not null, DevicesOnline: 2 }
        )
            await Task.Delay(100);
        return system;
    }

    public string Page(string path) => new Uri(Host.Url("gateway", "ui"), path).ToString();

    public string SignInPage => Page("/sign-in/link?code=" + SignInLink.Mint(Key, DateTimeOffset.UtcNow));

    /// <summary>What the console's process holds, in MiB.</summary>
    public double ConsoleMiB =>
        long.Parse(
            File.ReadLines($"/proc/{Host.ProcessId("console")}/status")
                .First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture
        ) / 1024.0;

    /// <summary>Processor time that the console's process has used, in seconds.</summary>
    public double ConsoleSeconds
    {
        get
        {
            var stat = File.ReadAllText($"/proc/{Host.ProcessId("console")}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (
                    long.Parse(fields[11], CultureInfo.InvariantCulture)
                    + long.Parse(fields[12], CultureInfo.InvariantCulture)
                ) / 100.0;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Host.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }
}
