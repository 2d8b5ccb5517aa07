using System.Net.Sockets;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Galaxy.AppHost.Resources;

/// <summary>A store is healthy when it answers PING within 2 s.</summary>
internal sealed class StorePing(int port) : IHealthCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timeout);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port, deadline.Token);
            await using var stream = client.GetStream();
            await stream.WriteAsync("PING\r\n"u8.ToArray(), deadline.Token);
            var answer = new byte[5];
            await stream.ReadExactlyAsync(answer, deadline.Token);
            return answer.AsSpan().SequenceEqual("+PONG"u8)
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy("It answers PING with an error.");
        }
        catch (Exception silent) when (silent is SocketException or IOException or OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy($"It does not answer PING: {silent.Message}");
        }
    }
}
