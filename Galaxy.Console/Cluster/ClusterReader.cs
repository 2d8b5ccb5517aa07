using System.Net.Http.Json;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.Console.Cluster;

/// <summary>Asks the coordinators' public API for what the watch does not carry.</summary>
internal sealed class ClusterReader(IHttpClientFactory http, ClusterWatcher watcher)
{
    /// <summary>The name of the client whose requests are signed.</summary>
    public const string Client = "coordinator";

    /// <summary>Newest first; null when no coordinator can be asked now.</summary>
    public async Task<IReadOnlyList<FailoverRecord>?> FailoversAsync(CancellationToken cancellation)
    {
        var view = watcher.Current;
        if ((view.UsableLeader?.Url ?? view.Reachable.FirstOrDefault()?.Url) is not { } url)
            return null;
        using var client = http.CreateClient(Client);
        client.BaseAddress = new Uri(url);
        try
        {
            return await client.GetFromJsonAsync<List<FailoverRecord>>("/api/v1/failovers", GalaxyJson.Options, cancellation);
        }
        catch (Exception failure) when (failure is HttpRequestException or Polly.ExecutionRejectedException or System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
