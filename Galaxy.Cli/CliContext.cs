using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;

namespace Galaxy.Cli;

/// <summary>A problem to show to the user in one line.</summary>
internal sealed class CliException(string message) : Exception(message);

/// <summary>Settings and the API client that all commands share.</summary>
internal sealed class CliContext : IDisposable
{
    public static readonly Option<string> UrlOption = new("--url")
    {
        Description = "The gateway's API address (default: GALAXY_URL, or http://127.0.0.1:8000)",
        Recursive = true,
    };

    public static readonly Option<string> KeyOption = new("--api-key")
    {
        Description = "The cluster's key (default: GALAXY_API_KEY, .env, or the key of a local Galaxy.AppHost)",
        Recursive = true,
    };

    private readonly HttpClient _http;

    private CliContext(NodeOptions node, IConfiguration configuration, Uri url, TimeSpan patience)
    {
        (Node, Configuration, Url) = (node, configuration, url);
        _http = InternalHttp.CreateClient(patience, url);
        if (node.ApiKey is { } key)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public NodeOptions Node { get; }

    public IConfiguration Configuration { get; }

    public Uri Url { get; }

    /// <param name="patience">For one answer; 30 s by default.</param>
    /// <param name="key">Instead of what options and environment say.</param>
    public static CliContext Create(ParseResult parsed, TimeSpan? patience = null, string? key = null)
    {
        var configuration = new ConfigurationManager();
        configuration.AddEnvironmentVariables();
        configuration.AddNodeFiles(Directory.GetCurrentDirectory());
        if ((key ?? parsed.GetValue(KeyOption) ?? configuration["GALAXY_API_KEY"] ?? LocalKey()) is { } found)
            configuration["GALAXY_API_KEY"] = found;
        var url = parsed.GetValue(UrlOption) ?? configuration["GALAXY_URL"] ?? "http://127.0.0.1:8000";
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new CliException($"--url is '{url}', which is not an address such as http://127.0.0.1:8000.");
        return new CliContext(
            NodeOptionsReader.Read(configuration),
            configuration,
            address,
            patience ?? TimeSpan.FromSeconds(30)
        );
    }

    /// <summary>Whether a key was given by option, environment or <c>.env</c>.</summary>
    public static bool HasKey(ParseResult parsed)
    {
        var configuration = new ConfigurationManager();
        configuration.AddEnvironmentVariables();
        configuration.AddNodeFiles(Directory.GetCurrentDirectory());
        return (parsed.GetValue(KeyOption) ?? configuration["GALAXY_API_KEY"]) is not null;
    }

    /// <summary>The key that Galaxy.AppHost keeps in <c>.galaxy</c>, here or in a folder above.</summary>
    internal static string? LocalKey()
    {
        for (
            var folder = new DirectoryInfo(Directory.GetCurrentDirectory());
            folder is not null;
            folder = folder.Parent
        )
        {
            var file = Path.Combine(folder.FullName, ".galaxy", "api-key");
            if (File.Exists(file))
                return File.ReadAllText(file).Trim();
        }
        return null;
    }

    /// <exception cref="CliException">It is no JSON object.</exception>
    public static JsonElement ParseObject(string option, string text)
    {
        try
        {
            var element = JsonSerializer.Deserialize<JsonElement>(text);
            return element.ValueKind == JsonValueKind.Object
                ? element
                : throw new CliException(option + " must be a JSON object, for instance '{\"text\":\"hi\"}'.");
        }
        catch (JsonException broken)
        {
            throw new CliException($"{option} is not JSON: {broken.Message}");
        }
    }

    public void Dispose() => _http.Dispose();

    public Task<T> GetAsync<T>(string path, CancellationToken cancellation) =>
        SendAsync<T>(() => _http.GetAsync(new Uri(path, UriKind.Relative), cancellation), cancellation);

    public Task<T> PostAsync<T>(string path, object body, CancellationToken cancellation) =>
        SendAsync<T>(
            () => _http.PostAsJsonAsync(new Uri(path, UriKind.Relative), body, GalaxyJson.Options, cancellation),
            cancellation
        );

    public Task<T> PutAsync<T>(string path, object body, CancellationToken cancellation) =>
        SendAsync<T>(
            () => _http.PutAsJsonAsync(new Uri(path, UriKind.Relative), body, GalaxyJson.Options, cancellation),
            cancellation
        );

    public Task<T> PatchAsync<T>(string path, object body, CancellationToken cancellation) =>
        SendAsync<T>(
            () => _http.PatchAsJsonAsync(new Uri(path, UriKind.Relative), body, GalaxyJson.Options, cancellation),
            cancellation
        );

    /// <summary>Sends bytes as they are.</summary>
    public Task<T> PutBytesAsync<T>(string path, byte[] body, string contentType, CancellationToken cancellation) =>
        SendAsync<T>(
            () =>
            {
                var content = new ByteArrayContent(body);
                content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
                return _http.PutAsync(new Uri(path, UriKind.Relative), content, cancellation);
            },
            cancellation
        );

    /// <summary>The bytes of an answer.</summary>
    public Task<byte[]> GetBytesAsync(string path, CancellationToken cancellation) =>
        SendAsync(
            () => _http.GetAsync(new Uri(path, UriKind.Relative), cancellation),
            response => response.Content.ReadAsByteArrayAsync(cancellation),
            cancellation
        );

    /// <summary>Sends bytes, with a header if there is one to send.</summary>
    public Task<T> PostBytesAsync<T>(
        string path,
        byte[] body,
        (string Name, string Value)? header,
        CancellationToken cancellation
    ) =>
        SendAsync<T>(
            () =>
            {
                var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative))
                {
                    Content = new ByteArrayContent(body),
                };
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
                if (header is var (name, value))
                    request.Headers.Add(name, value);
                return _http.SendAsync(request, cancellation);
            },
            cancellation
        );

    /// <summary>Asks for something to be done; neither side has a body.</summary>
    public Task PostAsync(string path, CancellationToken cancellation) =>
        SendAsync(
            () => _http.PostAsync(new Uri(path, UriKind.Relative), null, cancellation),
            _ => Task.FromResult(true),
            cancellation
        );

    /// <summary>Deletes; the answer has no body.</summary>
    public Task DeleteAsync(string path, CancellationToken cancellation) =>
        SendAsync(
            () => _http.DeleteAsync(new Uri(path, UriKind.Relative), cancellation),
            _ => Task.FromResult(true),
            cancellation
        );

    public Task<T> DeleteAsync<T>(string path, CancellationToken cancellation) =>
        SendAsync<T>(() => _http.DeleteAsync(new Uri(path, UriKind.Relative), cancellation), cancellation);

    private Task<T> SendAsync<T>(Func<Task<HttpResponseMessage>> send, CancellationToken cancellation) =>
        SendAsync(
            send,
            async response =>
                await response.Content.ReadFromJsonAsync<T>(GalaxyJson.Options, cancellation)
                ?? throw new CliException("The answer was empty."),
            cancellation
        );

    private async Task<T> SendAsync<T>(
        Func<Task<HttpResponseMessage>> send,
        Func<HttpResponseMessage, Task<T>> read,
        CancellationToken cancellation
    )
    {
        HttpResponseMessage response;
        try
        {
            response = await send();
        }
        catch (HttpRequestException)
        {
            throw new CliException(
                $"Nothing answers at {Url}. Is the cluster running? Start it with 'dotnet run --project "
                    + "Galaxy.AppHost', or name another address with --url."
            );
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CliException($"{Url} has not answered within {_http.Timeout.TotalSeconds:0.#} s.");
        }
        using (response)
        {
            if (response.StatusCode == HttpStatusCode.Unauthorized)
                throw new CliException(
                    $"The cluster refuses the key: {await DescribeAsync(response, cancellation)} Give the "
                        + "right one with --api-key or GALAXY_API_KEY."
                );
            if (!response.IsSuccessStatusCode)
                throw new CliException(await DescribeAsync(response, cancellation));
            try
            {
                return await read(response);
            }
            catch (JsonException)
            {
                throw new CliException(
                    $"What answers at {Url} is no Galaxy, or one of a very different version. Name the "
                        + "gateway's API address with --url."
                );
            }
        }
    }

    private static async Task<string> DescribeAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var text = await response.Content.ReadAsStringAsync(cancellation);
        try
        {
            using var problem = JsonDocument.Parse(text);
            if (problem.RootElement.ValueKind != JsonValueKind.Object)
                return $"The cluster answered {(int)response.StatusCode}: {text}";
            if (
                problem.RootElement.TryGetProperty("detail", out var detail)
                && detail.ValueKind == JsonValueKind.String
            )
                return detail.GetString()!;
            // Models answer in OpenAI's words.
            if (
                problem.RootElement.TryGetProperty("error", out var error)
                && error.ValueKind == JsonValueKind.Object
                && error.TryGetProperty("message", out var message)
                && message.ValueKind == JsonValueKind.String
            )
                return message.GetString()!;
        }
        catch (JsonException)
        {
            // Not a problem document: show what came.
        }
        return $"The cluster answered {(int)response.StatusCode}: {text}";
    }
}
