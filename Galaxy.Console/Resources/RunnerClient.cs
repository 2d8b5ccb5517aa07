using System.Net.Http.Headers;
using System.Text.Json;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Console.Resources;

/// <summary>A process of the console's machine.</summary>
public sealed record ResourceView(
    string Name,
    string State,
    int? Pid,
    int Restarts,
    IReadOnlyDictionary<string, string> Endpoints
);

/// <summary>
/// The API that starts and stops the processes of this machine, by what its host wrote to <c>GALAXY_RUNNER</c>; there
/// is none where processes are started in other ways. Thread-safe.
/// </summary>
internal sealed class RunnerClient(IConfiguration configuration) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(12);
    private readonly HttpClient _client = InternalHttp.CreateClient(Patience);

    private sealed record Address(string Url, string Token);

    /// <summary>Whether there is one.</summary>
    public bool IsThere => Read() is not null;

    public async Task<IReadOnlyList<ResourceView>?> ListAsync(CancellationToken cancellation) =>
        await SendAsync(
            HttpMethod.Get,
            "/resources",
            async answer =>
                await answer.Content.ReadFromJsonAsync<List<ResourceView>>(GalaxyJson.Options, cancellation),
            cancellation
        );

    public Task<string?> OutputAsync(string name, CancellationToken cancellation) =>
        SendAsync(
            HttpMethod.Get,
            $"/resources/{Uri.EscapeDataString(name)}/logs",
            async answer => (string?)await answer.Content.ReadAsStringAsync(cancellation),
            cancellation
        );

    /// <param name="act"><c>start</c>, <c>stop</c>, <c>restart</c> or <c>kill</c>.</param>
    public async Task<bool> ActAsync(string name, string act, CancellationToken cancellation) =>
        await SendAsync(
            HttpMethod.Post,
            $"/resources/{Uri.EscapeDataString(name)}/{act}",
            _ => Task.FromResult<string?>("done"),
            cancellation
        )
            is not null;

    private async Task<T?> SendAsync<T>(
        HttpMethod method,
        string path,
        Func<HttpResponseMessage, Task<T?>> read,
        CancellationToken cancellation
    )
        where T : class
    {
        if (Read() is not { } address)
            return null;
        try
        {
            using var request = new HttpRequestMessage(method, address.Url.TrimEnd('/') + path)
            {
                Headers = { Authorization = new AuthenticationHeaderValue("Bearer", address.Token) },
            };
            using var answer = await _client.SendAsync(request, cancellation);
            return answer.IsSuccessStatusCode ? await read(answer) : null;
        }
        catch (Exception failure)
            when (failure is HttpRequestException or JsonException
                || (failure is OperationCanceledException && !cancellation.IsCancellationRequested)
            )
        {
            return null;
        }
    }

    // Read each time: a runner that was started anew has another port and token.
    private Address? Read()
    {
        if (configuration["GALAXY_RUNNER"] is not { Length: > 0 } file || !File.Exists(file))
            return null;
        try
        {
            return JsonSerializer.Deserialize<Address>(File.ReadAllText(file), GalaxyJson.Options);
        }
        catch (Exception unreadable) when (unreadable is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Dispose() => _client.Dispose();
}
