using System.Net.Http.Json;
using System.Text.Json;

namespace Galaxy.Hosts.Tests.Scenarios;

/// <summary>
/// A machine of a person: a host with a folder in which Galaxy was deployed, started with <c>start.sh</c>, used through
/// its own front door.
/// </summary>
internal sealed class Machine : IDisposable
{
    public const string Key = "gx-scenario-key-0123456789";

    private readonly LabHost _host;
    private readonly string _folder;
    private readonly Dictionary<string, string> _settings;

    public Machine(LabHost host, string clone, Dictionary<string, string> settings, string key = Key)
    {
        (_host, _settings) = (host, settings);
        _folder = Path.Combine(host.Data, "galaxy");
        Directory.CreateDirectory(_folder);
        foreach (var file in (string[])["start.sh", "main.py"])
            File.Copy(Path.Combine(clone, file), Path.Combine(_folder, file));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "published"), Path.Combine(clone, "published"));
        File.WriteAllText(Path.Combine(_folder, ".env"), $"GALAXY_API_KEY={key}\n");
        Http = host.Http("http://127.0.0.1:8000", key);
    }

    public LabHost Host => _host;

    public string Folder => _folder;

    /// <summary>A client on this machine that asks its front door.</summary>
    public HttpClient Http { get; }

    public LabProcess? Process { get; private set; }

    /// <summary>Its last lines, for the message of a test that fails.</summary>
    public string Output => string.Join('\n', Process?.Output.TakeLast(60) ?? []);

    /// <param name="arguments">Of <c>start.sh</c>.</param>
    public void Start(params string[] arguments) =>
        Process = _host.StartIn(_folder, "./start.sh", _settings, arguments);

    public Task StartedAsync() => SaysAsync("processes are healthy", 90);

    public Task ConnectedAsync() => SaysAsync("Connected to", 60);

    private Task SaysAsync(string what, double seconds) =>
        Eventually.TrueAsync(
            () =>
            {
                Assert.False(Process!.HasEnded, Output);
                return Task.FromResult(Process.Output.Any(line => line.Contains(what, StringComparison.Ordinal)));
            },
            seconds,
            () => Output
        );

    /// <summary>The process id of one of its services.</summary>
    public async Task<int> PidAsync(string resource)
    {
        var runner = JsonSerializer.Deserialize<JsonElement>(
            await File.ReadAllTextAsync(Path.Combine(_folder, ".galaxy", "runner.json"))
        );
        using var http = _host.Http(runner.GetProperty("url").GetString()!, runner.GetProperty("token").GetString());
        var resources = await http.GetFromJsonAsync<JsonElement>("/resources");
        return resources
            .EnumerateArray()
            .Single(one => one.GetProperty("name").GetString() == resource)
            .GetProperty("pid")
            .GetInt32();
    }

    /// <summary>The cluster as this machine sees it; null while it does not answer.</summary>
    public async Task<JsonElement?> ClusterAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            return await Http.GetFromJsonAsync<JsonElement>("/api/v1/cluster", patience.Token);
        }
        catch (Exception failure)
            when (failure is HttpRequestException or OperationCanceledException or JsonException or IOException)
        {
            return null;
        }
    }

    public async Task<string?> LeaderAsync() =>
        await ClusterAsync() is { } cluster
        && cluster.TryGetProperty("leader", out var leader)
        && leader.ValueKind == JsonValueKind.Object
            ? leader.GetProperty("node_id").GetString()
            : null;

    /// <summary>
    /// Who leads, once this machine knows it: it may hear of a change a moment later than the one that led it.
    /// </summary>
    public async Task<string> KnownLeaderAsync()
    {
        string? leader = null;
        await Eventually.TrueAsync(async () => (leader = await LeaderAsync()) is not null, 30, () => Output);
        return leader!;
    }

    public async Task<bool> SeesAliveAsync(params string[] nodes) =>
        await ClusterAsync() is { } cluster
        && cluster
            .GetProperty("nodes")
            .EnumerateArray()
            .Where(node => node.GetProperty("state").GetString() == "alive")
            .Select(node => node.GetProperty("node_id").GetString()!)
            .Order()
            .SequenceEqual(nodes.Order());

    public Task LedByAsync(string node, double seconds = 30) =>
        Eventually.TrueAsync(
            async () => await LeaderAsync() == node,
            seconds,
            () => $"a leader other than {node}\n{Output}"
        );

    public async Task SetAsync(string key, string value)
    {
        using var answer = await Http.PutAsJsonAsync("/api/v1/state/notes/" + key, value);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
    }

    public async Task<string?> GetAsync(string key)
    {
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, "/api/v1/state/notes/" + key));
        return answer.IsSuccessStatusCode
            ? (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("value").GetString()
            : null;
    }

    /// <summary>Has a worker do something and waits until it is done; the task's id.</summary>
    public async Task<string> DoneAsync(string text, string? device = null)
    {
        // With a key of its own it may be sent again: by the gateway, should the leader die over it, and here while no
        // coordinator leads. A machine that is busy with other tests may take longer to start one than the gateway
        // waits.
        var key = Guid.NewGuid().ToString();
        HttpResponseMessage? response = null;
        await Eventually.TrueAsync(
            async () =>
            {
                response?.Dispose();
                using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/tasks")
                {
                    Content = JsonContent.Create(
                        new
                        {
                            action = "echo",
                            @params = new { text },
                            target_device = device,
                        }
                    ),
                };
                request.Headers.Add("Idempotency-Key", key);
                response = await SendAsync(request);
                return response.StatusCode != System.Net.HttpStatusCode.ServiceUnavailable;
            },
            60,
            () => Output
        );
        using var answer = response!;
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("task_id").GetString()!;
        await Eventually.TrueAsync(
            async () => (await TaskAsync(id))?.GetProperty("state").GetString() == "completed",
            60,
            () => Output
        );
        Assert.Equal(text, (await TaskAsync(id))!.Value.GetProperty("result").GetProperty("text").GetString());
        return id;
    }

    public async Task<JsonElement?> TaskAsync(string id)
    {
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, "/api/v1/tasks/" + id));
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<JsonElement>() : null;
    }

    public async Task RecoverAfterAsync(double seconds)
    {
        using var answer = await Http.PutAsJsonAsync(
            "/api/v1/failover/settings",
            new { recovery_timeout_seconds = seconds }
        );
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    // What a machine said last tells more than that it does not answer.
    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
    {
        try
        {
            return await Http.SendAsync(request);
        }
        catch (HttpRequestException failure)
        {
            throw new InvalidOperationException($"{request.RequestUri}: {failure.Message}\n{Output}", failure);
        }
    }

    public void Dispose() => Http.Dispose();
}
