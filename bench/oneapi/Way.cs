using System.Diagnostics;
using System.Text;

namespace Galaxy.Bench.OneApi;

/// <summary>A way to the upstream: straight, or through a gateway.</summary>
internal sealed class Way(string name, string url, int process, params (string Name, string Value)[] headers)
    : IDisposable
{
    private readonly HttpMessageInvoker _http = new(
        new SocketsHttpHandler
        {
            MaxConnectionsPerServer = 20_000,
            ResponseDrainTimeout = TimeSpan.Zero,
            ActivityHeadersPropagator = null,
            UseProxy = false,
        }
    );

    public string Name => name;

    public string Url => url;

    /// <summary>The gateway's process; 0: there is none.</summary>
    public int ProcessId => process;

    public IReadOnlyList<(string Name, string Value)> Headers => headers;

    /// <summary>What the model is called on this way.</summary>
    public string Model(string model) => name == "galaxy" ? "up/" + model : model;

    public string Body(string model, bool stream) =>
        $$"""{"model":"{{Model(model)}}","stream":{{(stream ? "true" : "false")}},"messages":["""
        + $$"""{"role":"system","content":"You are brief."},{"role":"user","content":"Say something of """
        + $$"""some twenty words about gateways."}]}""";

    public Task<HttpResponseMessage> SendAsync(string model, bool stream, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new StringContent(Body(model, stream), Encoding.UTF8, "application/json"),
        };
        foreach (var (header, value) in headers)
            request.Headers.TryAddWithoutValidation(header, value);
        return _http.SendAsync(request, cancellation);
    }

    /// <summary>Milliseconds to the end of a whole answer.</summary>
    public async Task<double> WholeAsync()
    {
        var began = Stopwatch.GetTimestamp();
        using var response = await SendAsync("plain", false, CancellationToken.None);
        await response.Content.CopyToAsync(Stream.Null);
        response.EnsureSuccessStatusCode();
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    /// <summary>Milliseconds to the first word of a stream.</summary>
    public async Task<double> FirstTokenAsync()
    {
        var began = Stopwatch.GetTimestamp();
        using var response = await SendAsync("stream", true, CancellationToken.None);
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[16 * 1024];
        var read = 0;
        while (buffer.AsSpan(0, read).IndexOf("\" word\""u8) < 0)
        {
            var more = await body.ReadAsync(buffer.AsMemory(read));
            if (more == 0)
                throw new InvalidOperationException(
                    $"{name}: {response.StatusCode} {Encoding.UTF8.GetString(buffer, 0, read)}"
                );
            read += more;
        }
        var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        while (await body.ReadAsync(buffer) > 0) { }
        return took;
    }

    public void Dispose() => _http.Dispose();
}

internal static class Proc
{
    /// <summary>Seconds of CPU that a process has used (proc(5): utime and stime in hundredths).</summary>
    public static double CpuSeconds(int process)
    {
        var text = File.ReadAllText($"/proc/{process}/stat");
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11]) + double.Parse(fields[12])) / 100;
    }

    public static double ResidentMiB(int process) =>
        double.Parse(
            File.ReadLines($"/proc/{process}/status")
                .First(line => line.StartsWith("VmRSS", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]
        ) / 1024;

    public static int Sockets(int process) =>
        Directory
            .GetFileSystemEntries($"/proc/{process}/fd")
            .Count(entry => new FileInfo(entry).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);
}
