using System.Net;
using System.Net.Sockets;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace Galaxy.ServiceDefaults.Tests.Hosting;

/// <summary>Which addresses answer, on real sockets.</summary>
public class LoopbackTests
{
    private const string Key = "correct-horse";

    public static bool HasIpv6
    {
        get
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static WebApplication Build(string? bind, int port)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection([
            new("GALAXY_API_KEY", Key),
            new("GALAXY_BIND", bind),
            new("urls", ""),
            new("HTTP_PORT", $"{port}"),
        ]);
        builder.Listen(builder.AddServiceDefaults("test"), new ListenPort("HTTP_PORT", 0));
        var app = builder.Build();
        app.MapDefaultEndpoints();
        return app;
    }

    private static async Task<bool> AnswersAsync(string host, int port)
    {
        using var http = InternalHttp.CreateClient(TimeSpan.FromSeconds(5));
        try
        {
            return await http.GetStringAsync(new Uri($"http://{host}:{port}/alive")) == "alive";
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    [Theory(Skip = "This machine has no IPv6.", SkipUnless = nameof(HasIpv6))]
    [InlineData("127.0.0.1", true)]
    [InlineData("localhost", true)]
    [InlineData("::1", true)]
    [InlineData("*", true)]
    [InlineData("0.0.0.0", true)]
    [InlineData("::", true)]
    [InlineData("127.0.0.2", false)]
    public async Task Loopback_and_every_address_answer_in_both_families(string bind, bool both)
    {
        var port = FreePort();
        await using var app = Build(bind, port);
        await app.StartAsync();

        Assert.Equal(both, await AnswersAsync("127.0.0.1", port));
        Assert.Equal(both, await AnswersAsync("[::1]", port));
    }

    [Theory(Skip = "This machine has no IPv6.", SkipUnless = nameof(HasIpv6))]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_port_that_is_taken_in_one_family_only_is_said_in_a_sentence(string takenOn)
    {
        using var other = new TcpListener(IPAddress.Parse(takenOn), 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var error = Console.Error;
        using var said = new StringWriter();
        Console.SetError(said);
        try
        {
            Assert.Equal(
                3,
                await GalaxyApp.RunAsync([], new ListenPort("HTTP_PORT", 0), () => Build("127.0.0.1", port))
            );
        }
        finally
        {
            Console.SetError(error);
        }

        var where = takenOn.Contains(':', StringComparison.Ordinal) ? $"[{takenOn}]:{port}" : $"{takenOn}:{port}";
        Assert.Contains(where, said.ToString(), StringComparison.Ordinal);
        Assert.Contains("choose another port", said.ToString(), StringComparison.Ordinal);
    }
}
