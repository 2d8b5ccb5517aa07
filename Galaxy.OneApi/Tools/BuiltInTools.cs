using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Dialects.OpenAi;
using Galaxy.OneApi.Providers;

namespace Galaxy.OneApi.Tools;

/// <summary>
/// The tools that the first Galaxy had: weather from Open-Meteo, a web search from a SearXNG, videos from whatever
/// provider is set. Each asks a real service; one that is not set up says how. Thread-safe.
/// </summary>
internal sealed class BuiltInTools(IConfiguration configuration, Upstream http)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static JsonArray List() =>
        [
            Tool("weather", "The weather at a place now (Open-Meteo)", "location", "A town, for instance Lisbon"),
            Tool("search", "Search the web (a SearXNG, set with SEARCH_URL)", "query", "What to look for"),
            Tool(
                "generate_video",
                "Make a video from a description (a provider, set with VIDEO_URL and VIDEO_API_KEY)",
                "prompt",
                "What it shows"
            ),
        ];

    private static JsonObject Tool(string name, string description, string parameter, string about) =>
        new()
        {
            ["name"] = name,
            ["description"] = description,
            ["inputSchema"] = new JsonObject
            {
                ["type"] = "object",
                ["required"] = new JsonArray(parameter),
                ["properties"] = new JsonObject
                {
                    [parameter] = new JsonObject { ["type"] = "string", ["description"] = about },
                },
            },
        };

    /// <exception cref="ToolException">It cannot be done, and why.</exception>
    public Task<JsonObject> CallAsync(string name, JsonObject arguments, CancellationToken cancellation)
    {
        string Argument(string parameter, string? other = null) =>
            (ChatAnswer.Text(arguments[parameter]) ?? (other is null ? null : ChatAnswer.Text(arguments[other])))
                is { Length: > 0 and <= 4096 } text
                ? text
                : throw new ToolException(400, $"'{parameter}' is required, a text of at most 4,096 characters.");
        return name switch
        {
            "weather" => WeatherAsync(Argument("location", "city"), cancellation),
            "search" => SearchAsync(Argument("query", "q"), cancellation),
            "generate_video" => VideoAsync(arguments, Argument("prompt"), cancellation),
            _ => throw new ToolException(
                404,
                $"There is no tool '{name}'; there are weather, search and generate_video. The cluster's "
                    + "own tools are at the router: GET /tools."
            ),
        };
    }

    private async Task<JsonObject> WeatherAsync(string location, CancellationToken cancellation)
    {
        var places = await GetAsync(
            $"{Setting("GEOCODING_URL", "https://geocoding-api.open-meteo.com")}/v1/search?count=1&name={Uri.EscapeDataString(location)}",
            cancellation
        );
        var place =
            (places["results"] as JsonArray)?.FirstOrDefault() as JsonObject
            ?? throw new ToolException(404, $"Open-Meteo knows no place '{location}'.");
        string Number(string field) =>
            place[field] is JsonValue value && value.TryGetValue<double>(out var number)
                ? number.ToString(CultureInfo.InvariantCulture)
                : "0";
        var weather = await GetAsync(
            $"{Setting("WEATHER_URL", "https://api.open-meteo.com")}/v1/forecast?latitude={Number("latitude")}&longitude={Number("longitude")}&current=temperature_2m,relative_humidity_2m,wind_speed_10m,weather_code",
            cancellation
        );
        return new JsonObject
        {
            ["location"] = place["name"]?.DeepClone(),
            ["country"] = place["country"]?.DeepClone(),
            ["current"] = weather["current"]?.DeepClone(),
            ["units"] = weather["current_units"]?.DeepClone(),
        };
    }

    private async Task<JsonObject> SearchAsync(string query, CancellationToken cancellation)
    {
        if (configuration["SEARCH_URL"] is not { Length: > 0 } url)
            throw new ToolException(
                503,
                "No search engine is set. Set SEARCH_URL to the address of a SearXNG that answers in JSON, "
                    + "for instance http://localhost:8888."
            );
        var found = await GetAsync(
            $"{url.TrimEnd('/')}/search?format=json&q={Uri.EscapeDataString(query)}",
            cancellation
        );
        return new JsonObject
        {
            ["query"] = query,
            ["results"] = new JsonArray([
                .. (found["results"] as JsonArray ?? [])
                    .OfType<JsonObject>()
                    .Take(10)
                    .Select(result => new JsonObject
                    {
                        ["title"] = result["title"]?.DeepClone(),
                        ["url"] = result["url"]?.DeepClone(),
                        ["content"] = result["content"]?.DeepClone(),
                    }),
            ]),
        };
    }

    private async Task<JsonObject> VideoAsync(JsonObject arguments, string prompt, CancellationToken cancellation)
    {
        if (configuration["VIDEO_URL"] is not { Length: > 0 } url)
            throw new ToolException(
                503,
                $"No video provider is set, so '{(prompt.Length > 40 ? prompt[..40] + "…" : prompt)}' "
                    + "cannot be made. Set VIDEO_URL to an address that takes a JSON body with 'prompt', and "
                    + "VIDEO_API_KEY to its key."
            );
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new StringContent(
                arguments.ToJsonString(Sse.Json),
                System.Text.Encoding.UTF8,
                "application/json"
            ),
        };
        if (configuration["VIDEO_API_KEY"] is { Length: > 0 } key)
            request.Headers.Authorization = new("Bearer", key);
        return await SendAsync(request, cancellation);
    }

    private string Setting(string name, string otherwise) =>
        (configuration[name] is { Length: > 0 } own ? own : otherwise).TrimEnd('/');

    private async Task<JsonObject> GetAsync(string url, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        return await SendAsync(request, cancellation);
    }

    private async Task<JsonObject> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        var host = request.RequestUri!.Host;
        try
        {
            using var response = await http.SendAsync(request, patience.Token);
            var text = await response.Content.ReadAsStringAsync(patience.Token);
            if (!response.IsSuccessStatusCode)
                throw new ToolException(502, $"{host} answered with status {(int)response.StatusCode}.");
            return JsonNode.Parse(text) as JsonObject ?? throw new ToolException(502, $"{host} sent no JSON object.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ToolException(504, $"{host} sent nothing for {Patience.TotalSeconds:0} s.");
        }
        catch (HttpRequestException)
        {
            throw new ToolException(502, $"{host} cannot be reached from this machine.");
        }
        catch (JsonException)
        {
            throw new ToolException(502, $"{host} sent no JSON.");
        }
    }
}

internal sealed class ToolException(int status, string message) : Exception(message)
{
    public int Status => status;
}
