using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Galaxy.AppHost.Commands;

/// <summary>
/// Commands on leadership, through the API of the running system: Promote, Hand over, Drain, Undrain.
/// </summary>
internal static class CoordinatorCommands
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ElectionPatience = TimeSpan.FromSeconds(10);

    public static void WithCoordinatorCommands(this IResourceBuilder<IResourceWithEnvironment> coordinator)
    {
        var node = coordinator.Resource.Name;
        Add(
            coordinator,
            "promote",
            "Promote",
            "Makes this coordinator the leader.",
            "Crown",
            $"Move leadership to {node}?",
            isHighlighted: true,
            api => api.SendAsync(HttpMethod.Post, "/api/v1/failover/promote", new { node_id = node })
        );
        Add(
            coordinator,
            "hand-over",
            "Hand over",
            "If this coordinator leads, another one takes over.",
            "ArrowSwap",
            $"Hand leadership of {node} over to another coordinator?",
            isHighlighted: false,
            api => HandOverAsync(api, node)
        );
        Add(
            coordinator,
            "drain",
            "Drain",
            "Leadership leaves this coordinator and does not come back until it is undrained.",
            "ArrowExit",
            $"Drain {node}?",
            isHighlighted: false,
            api => api.SendAsync(HttpMethod.Put, $"/api/v1/failover/drained/{node}", null)
        );
        Add(
            coordinator,
            "undrain",
            "Undrain",
            "This coordinator may lead again.",
            "ArrowEnter",
            null,
            isHighlighted: false,
            api => api.SendAsync(HttpMethod.Delete, $"/api/v1/failover/drained/{node}", null)
        );
    }

    private static void Add(
        IResourceBuilder<IResource> coordinator,
        string name,
        string displayName,
        string description,
        string icon,
        string? confirmation,
        bool isHighlighted,
        Func<Api, Task<ExecuteCommandResult>> act
    )
    {
        coordinator.WithCommand(
            name,
            displayName,
            async context =>
            {
                using var api = new Api(context.Services.GetRequiredService<ApiAddress>(), context.CancellationToken);
                try
                {
                    return await act(api);
                }
                catch (Exception failure)
                    when (failure is HttpRequestException or JsonException
                        || (failure is OperationCanceledException && !context.CancellationToken.IsCancellationRequested)
                    )
                {
                    return CommandResults.Failure($"The gateway does not answer: {failure.Message}");
                }
            },
            new CommandOptions
            {
                Description = description,
                ConfirmationMessage = confirmation,
                IconName = icon,
                IsHighlighted = isHighlighted,
                UpdateState = context =>
                    context.ResourceSnapshot.State?.Text == KnownResourceStates.Running
                        ? ResourceCommandState.Enabled
                        : ResourceCommandState.Disabled,
            }
        );
    }

    private static async Task<ExecuteCommandResult> HandOverAsync(Api api, string node) =>
        await api.ElectedAsync() is var leader && leader != node
            ? CommandResults.Failure($"{node} does not lead; {leader ?? "no coordinator"} does.")
            : await api.SendAsync(HttpMethod.Post, "/api/v1/failover", new { });

    private sealed class Api : IDisposable
    {
        private readonly HttpClient _http;
        private readonly CancellationToken _cancellationToken;

        public Api(ApiAddress address, CancellationToken cancellationToken)
        {
            _http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
            {
                BaseAddress = new Uri(address.Url),
                Timeout = Timeout,
            };
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", address.Key);
            _cancellationToken = cancellationToken;
        }

        public async Task<ExecuteCommandResult> SendAsync(HttpMethod method, string path, object? body)
        {
            using var request = new HttpRequestMessage(method, path)
            {
                Content = body is null ? null : JsonContent.Create(body),
            };
            using var answer = await _http.SendAsync(request, _cancellationToken);
            var text = await answer.Content.ReadAsStringAsync(_cancellationToken);
            return answer.IsSuccessStatusCode
                ? CommandResults.Success($"Done. The leader is {await ElectedAsync() ?? "still being elected"}.")
                : CommandResults.Failure(Detail(text) ?? $"The API answered {(int)answer.StatusCode}.");
        }

        /// <summary>The leader, as soon as there is one again.</summary>
        public async Task<string?> ElectedAsync()
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_cancellationToken);
            patience.CancelAfter(ElectionPatience);
            try
            {
                while (true)
                {
                    if (await LeaderAsync() is { } leader)
                        return leader;
                    await Task.Delay(TimeSpan.FromMilliseconds(50), patience.Token);
                }
            }
            catch (OperationCanceledException) when (!_cancellationToken.IsCancellationRequested)
            {
                return null;
            }
        }

        private async Task<string?> LeaderAsync()
        {
            using var answer = await _http.GetAsync(new Uri("/api/v1/cluster", UriKind.Relative), _cancellationToken);
            if (!answer.IsSuccessStatusCode)
                return null;
            var cluster = await answer.Content.ReadFromJsonAsync<JsonElement>(_cancellationToken);
            return cluster.TryGetProperty("leader", out var leader) && leader.ValueKind == JsonValueKind.Object
                ? leader.GetProperty("node_id").GetString()
                : null;
        }

        private static string? Detail(string problem)
        {
            try
            {
                using var document = JsonDocument.Parse(problem);
                return document.RootElement.TryGetProperty("detail", out var detail) ? detail.GetString()
                    : document.RootElement.TryGetProperty("title", out var title) ? title.GetString()
                    : null;
            }
            catch (JsonException)
            {
                return null;
            }
        }

        public void Dispose() => _http.Dispose();
    }
}
