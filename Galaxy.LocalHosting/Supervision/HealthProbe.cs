using System.Diagnostics;
using System.Net.Sockets;
using Galaxy.LocalHosting.Description;

namespace Galaxy.LocalHosting.Supervision;

/// <summary>Asks a process whether it is healthy. Thread-safe.</summary>
internal static class HealthProbe
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    // The probe asks this machine, so it must not use a proxy.
    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false })
    {
        Timeout = TimeSpan.FromSeconds(2),
    };

    /// <summary>True as soon as the process is healthy, false after <paramref name="timeout"/>.</summary>
    public static async Task<bool> WaitAsync(
        ProcessDescription process,
        TimeSpan timeout,
        CancellationToken cancellationToken
    )
    {
        var started = Stopwatch.GetTimestamp();
        while (!cancellationToken.IsCancellationRequested && Stopwatch.GetElapsedTime(started) < timeout)
        {
            if (await IsHealthyAsync(process, cancellationToken))
                return true;
            await Task.Delay(Interval, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return false;
    }

    private static async Task<bool> IsHealthyAsync(ProcessDescription process, CancellationToken cancellationToken)
    {
        try
        {
            if (process.Kind.HealthPath is { } path)
            {
                using var response = await Http.GetAsync(new Uri(process.Endpoints[0].Url + path), cancellationToken);
                return response.IsSuccessStatusCode;
            }
            // A process without an answer of its own is healthy once it runs.
            return !process.Kind.Is(GalaxyServices.Store)
                || await AnswersPingAsync(process.Endpoints[0].Port, cancellationToken);
        }
        catch (Exception notYet)
            when (notYet is HttpRequestException or SocketException or IOException or OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task<bool> AnswersPingAsync(int port, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(2));
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port, deadline.Token);
        await using var stream = client.GetStream();
        await stream.WriteAsync("PING\r\n"u8.ToArray(), deadline.Token);
        var answer = new byte[5];
        await stream.ReadExactlyAsync(answer, deadline.Token);
        // A store that asks for a password works, too.
        return answer.AsSpan().SequenceEqual("+PONG"u8) || answer.AsSpan().SequenceEqual("-NOAU"u8);
    }
}
