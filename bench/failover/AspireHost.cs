using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Galaxy.LocalHosting.Control;
using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;

namespace Galaxy.Bench.Failover;

/// <summary>
/// Under Aspire: the AppHost as a program of its own, with orchestrator and dashboard, steered as <c>galaxy
/// resources</c> does.
/// </summary>
internal sealed class AspireHost : ISystem
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(2);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly PeerProcess _appHost;
    private readonly HttpClient _control;

    private AspireHost(PeerProcess appHost, HttpClient control, string key) =>
        (_appHost, _control, Key) = (appHost, control, key);

    public string Key { get; }

    public static async Task<AspireHost> StartAsync(string[] arguments, string data)
    {
        var program = Path.Combine(
            Repository.FindAbove(AppContext.BaseDirectory)!,
            "Galaxy.AppHost",
            "bin",
            "Release",
            "net10.0",
            "Galaxy.AppHost"
        );
        var appHost = new PeerProcess(program, () => arguments);
        appHost.Start();
        using var deadline = new CancellationTokenSource(StartTimeout);
        while (!appHost.Lines.Any(line => line.Contains("resources are healthy", StringComparison.Ordinal)))
            await Task.Delay(100, deadline.Token);
        var file = JsonSerializer.Deserialize<JsonElement>(
            await File.ReadAllTextAsync(Path.Combine(data, "runner.json"))
        );
        var control = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri(file.GetProperty("url").GetString()!),
        };
        control.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            file.GetProperty("token").GetString()
        );
        return new AspireHost(appHost, control, (await File.ReadAllTextAsync(Path.Combine(data, "api-key"))).Trim());
    }

    public Uri Url(string process, string endpoint) => new(Status(process).Endpoints[endpoint]);

    public int? ProcessId(string process) => Status(process).Pid;

    public IReadOnlyList<string> Output(string process) =>
        _control
            .GetStringAsync(new Uri($"/resources/{process}/logs", UriKind.Relative))
            .GetAwaiter()
            .GetResult()
            .Split('\n');

    public void Kill(string process) => Signals.Send(ProcessId(process)!.Value, Signals.Kill);

    public void Pause(string process) => Signals.Send(ProcessId(process)!.Value, Signals.Stop);

    public void Continue(string process) => Signals.Send(ProcessId(process)!.Value, Signals.Continue);

    // As the supervisor does: SIGTERM to the process itself. The orchestrator's own stop command takes some 80 ms
    // before it sends one.
    public async Task StopAsync(string process)
    {
        var pid = ProcessId(process)!.Value;
        Signals.Send(pid, Signals.Terminate);
        while (Directory.Exists($"/proc/{pid}"))
            await Task.Delay(5);
    }

    public Task StartAsync(string process) =>
        _control.PostAsync(new Uri($"/resources/{process}/start", UriKind.Relative), null);

    private ProcessStatus Status(string process) =>
        _control
            .GetFromJsonAsync<List<ProcessStatus>>("/resources", Json)
            .GetAwaiter()
            .GetResult()!
            .Single(status => status.Name == process);

    public async ValueTask DisposeAsync()
    {
        _control.Dispose();
        _appHost.Signal(PeerProcess.Terminate);
        await _appHost.EndedAsync();
        await _appHost.DisposeAsync();
    }
}
