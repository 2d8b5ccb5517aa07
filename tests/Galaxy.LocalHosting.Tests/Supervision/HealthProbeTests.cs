using System.Net;
using System.Net.Sockets;
using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;
using Galaxy.LocalHosting.Supervision;

namespace Galaxy.LocalHosting.Tests.Supervision;

public sealed class HealthProbeTests
{
    // A server that answers each connection, once it was asked, with these bytes.
    private static async Task<bool> AskAsync(ServiceKind kind, string answer)
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        using var ends = new CancellationTokenSource();
        var serving = Task.Run(async () =>
        {
            while (!ends.IsCancellationRequested)
            {
                using var client = await server.AcceptTcpClientAsync(ends.Token);
                _ = await client.GetStream().ReadAsync(new byte[1024], ends.Token);
                await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(answer), ends.Token);
            }
        });
        var endpoint = new BoundEndpoint(kind.Endpoints[0], ((IPEndPoint)server.LocalEndpoint).Port);
        var description = new ProcessDescription
        {
            Name = "p",
            Kind = kind,
            Program = "",
            WorkingDirectory = "",
            Endpoints = [endpoint],
        };
        var healthy = await HealthProbe.WaitAsync(description, TimeSpan.FromMilliseconds(300), default);
        await ends.CancelAsync();
        await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return healthy;
    }

    [Theory]
    [InlineData("+PONG\r\n", true)]
    [InlineData("-NOAUTH Authentication required.\r\n", true)]
    [InlineData("-LOADING Redis is loading the dataset in memory\r\n", false)]
    [InlineData("+PO", false)]
    public async Task A_store_works_when_it_answers_or_asks_for_the_password(string answer, bool healthy) =>
        Assert.Equal(healthy, await AskAsync(GalaxyServices.Store, answer));

    [Theory]
    [InlineData("200 OK", true)]
    [InlineData("503 Service Unavailable", false)]
    [InlineData("404 Not Found", false)]
    public async Task A_service_works_when_it_says_so(string status, bool healthy) =>
        Assert.Equal(
            healthy,
            await AskAsync(
                GalaxyServices.Router,
                $"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        );
}
