using System.Net;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Core.Discovery.Ssdp;
using Galaxy.Discovery.Peers;
using Galaxy.Discovery.Ssdp;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.Discovery.Tests.Ssdp;

public sealed class DescriptionReaderTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private OneMachine _machine = null!;
    private SsdpRoad _road = null!;
    private DescriptionReader _reader = null!;
    private WebApplication _device = null!;
    private RequestDelegate _answer = _ => Task.CompletedTask;
    private int _asked;

    public async ValueTask InitializeAsync()
    {
        _machine = await OneMachine.StartAsync(_time);
        _reader = new DescriptionReader(_machine.Trust, _time);
        // It is not started: it has no sockets.
        _road = new SsdpRoad(
            _machine.Node,
            new ListenAddresses("127.0.0.1", [8037]),
            _reader,
            _machine.Receiver,
            _machine.Links,
            _machine.Local,
            _machine.Peers,
            _time,
            NullLogger<SsdpRoad>.Instance
        );
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _device = builder.Build();
        _device.Run(context =>
        {
            Interlocked.Increment(ref _asked);
            return _answer(context);
        });
        await _device.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _road.Dispose();
        _reader.Dispose();
        await _device.DisposeAsync();
        await _machine.DisposeAsync();
    }

    private SsdpEffect.Found Found(string? location = null, string from = "127.0.0.1", Guid? uuid = null) =>
        new(
            uuid ?? Guid.NewGuid(),
            new Uri(location ?? _device.Urls.Single() + "/d.xml"),
            "1",
            new IPEndPoint(IPAddress.Parse(from), 1900)
        );

    private async Task<DescriptionRead> ReadAsync(SsdpEffect.Found found)
    {
        Assert.Null(_reader.Read(found, _road));
        DescriptionRead? read = null;
        await Eventually.TrueAsync(() => _reader.TryTake(out read));
        return read!;
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/d.xml", "10.0.0.1")]
    [InlineData("http://10.0.0.2/d.xml", "10.0.0.1")]
    [InlineData("http://localhost/d.xml", "127.0.0.1")]
    public void A_packet_sends_us_to_no_other_host_than_its_own(string location, string from) =>
        Assert.Equal("location elsewhere", _reader.Read(Found(location, from), _road));

    [Fact]
    public async Task A_description_that_repeats_our_nonce_is_trusted()
    {
        var own = new LocalNode("b", "coordinator", "galaxy", "http://b:1", "http://b:2", "1");
        _answer = context =>
            context.Response.WriteAsync(
                SsdpDescription.Write(own, _machine.Trust, context.Request.Query["nonce"].ToString())
            );

        var read = await ReadAsync(Found());

        Assert.Equal((null, "b", PeerTrust.Trusted), (read.Problem, read.Sighting?.NodeId, read.Sighting?.Trust));
        Assert.Equal(IPAddress.Loopback, read.Sighting?.Address);
    }

    [Fact]
    public async Task A_device_is_read_once_in_three_seconds_however_many_packets_tell_of_it()
    {
        var found = Found();
        await ReadAsync(found);

        Assert.Null(_reader.Read(found, _road));
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Null(_reader.Read(found, _road));
        Assert.Equal(1, _asked);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        await ReadAsync(found);

        Assert.Equal(2, _asked);
    }

    [Fact]
    public async Task Nobody_is_led_elsewhere_or_made_to_read_without_end()
    {
        _answer = context =>
        {
            context.Response.Redirect(_device.Urls.Single() + "/other");
            return Task.CompletedTask;
        };
        Assert.Equal("description unreadable", (await ReadAsync(Found())).Problem);
        Assert.Equal(1, _asked);

        _answer = context => context.Response.WriteAsync(new string(' ', (64 * 1024) + 1));
        Assert.Equal("description unreadable", (await ReadAsync(Found())).Problem);

        _answer = context => context.Response.WriteAsync("<root/>");
        Assert.Equal("description malformed", (await ReadAsync(Found())).Problem);
    }
}
