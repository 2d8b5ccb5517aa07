using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Cli.Worker;

/// <summary>What a device stores when it has joined: its key, and the addresses of the cluster.</summary>
internal sealed record Membership(string Secret, Uri Url, Uri Master);

/// <summary>Exchanges a join token, once, for a key of this device, and stores the key.</summary>
internal static class Joining
{
    private const int SocketPort = 8765;

    /// <summary>In the folder of this user's programs, readable by this user only.</summary>
    private static string FileOf(string deviceId) =>
        Path.Combine(
            Environment.GetFolderPath(
                Environment.SpecialFolder.LocalApplicationData,
                Environment.SpecialFolderOption.Create
            ),
            "galaxy",
            $"device-{Uri.EscapeDataString(deviceId)}.json"
        );

    /// <summary>Null: this device has not joined.</summary>
    public static Membership? Read(string deviceId)
    {
        try
        {
            return JsonSerializer.Deserialize<Membership>(File.ReadAllText(FileOf(deviceId)), GalaxyJson.Options);
        }
        catch (Exception missing) when (missing is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <exception cref="CliException">The cluster refuses the token, or does not answer.</exception>
    public static async Task<Membership> JoinAsync(
        string token,
        string deviceId,
        Uri url,
        Uri? master,
        CancellationToken cancellation
    )
    {
        var (id, secret) = AccessKey.Create();
        using var http = InternalHttp.CreateClient(TimeSpan.FromSeconds(30), url);
        HttpResponseMessage answer;
        try
        {
            answer = await http.PostAsJsonAsync(
                new Uri("/api/v1/join", UriKind.Relative),
                new
                {
                    token,
                    name = deviceId,
                    key_id = id,
                    key_hash = AccessKey.HashOf(secret),
                },
                GalaxyJson.Options,
                cancellation
            );
        }
        catch (HttpRequestException)
        {
            throw new CliException($"Nothing answers at {url}. Name the gateway's API address with --url.");
        }
        using (answer)
        {
            if (!answer.IsSuccessStatusCode)
                throw new CliException(await ReasonAsync(answer, cancellation));
        }
        var scheme = url.Scheme == "https" ? "wss" : "ws";
        var membership = new Membership(
            secret,
            url,
            master
                ?? (
                    url.Scheme == "https"
                        ? new Uri($"wss://{url.Authority}")
                        : new Uri($"{scheme}://{url.Host}:{SocketPort}")
                )
        );
        Write(FileOf(deviceId), JsonSerializer.Serialize(membership, GalaxyJson.Options));
        return membership;
    }

    private static void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(file, options);
        writer.Write(text);
    }

    private static async Task<string> ReasonAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        try
        {
            return (string?)(await answer.Content.ReadFromJsonAsync<JsonObject>(cancellation))?["detail"]
                ?? $"The cluster answered {(int)answer.StatusCode}.";
        }
        catch (Exception unreadable) when (unreadable is JsonException or NotSupportedException)
        {
            return $"The cluster answered {(int)answer.StatusCode}.";
        }
    }
}
