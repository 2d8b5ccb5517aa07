using Galaxy.Gateway.Balancing;
using Galaxy.Gateway.Settings;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Galaxy.Gateway.Tests.Balancing;

public sealed class OutlierEjectionTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Updater _health = new();
    private readonly OutlierEjection _policy;

    public OutlierEjectionTests() =>
        _policy = new OutlierEjection(
            new Monitor(new GatewayOptions { EjectAfterFailures = 3, EjectSeconds = 2 }),
            _health,
            _time
        );

    private static (ClusterState Cluster, DestinationState[] All) Cluster(int count)
    {
        var all = Enumerable
            .Range(0, count)
            .Select(i => new DestinationState(
                $"d{i}",
                new DestinationModel(new DestinationConfig { Address = $"http://d{i}" })
            ))
            .ToArray();
        var cluster = new ClusterState(
            "c",
            new ClusterModel(new ClusterConfig { ClusterId = "c" }, new HttpMessageInvoker(new SocketsHttpHandler()))
        )
        {
            DestinationsState = new ClusterDestinationsState(all, all),
        };
        return (cluster, all);
    }

    private void Answer(ClusterState cluster, DestinationState destination, int status) =>
        _policy.RequestProxied(new DefaultHttpContext { Response = { StatusCode = status } }, cluster, destination);

    [Theory]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public void Failures_in_a_row_put_a_service_aside(int status)
    {
        var (cluster, all) = Cluster(2);
        for (var i = 0; i < 2; i++)
            Answer(cluster, all[0], status);
        Assert.Empty(_health.Ejected);
        Answer(cluster, all[0], status);
        Assert.Equal([("d0", 2.0)], _health.Ejected);
    }

    [Fact]
    public void A_success_in_between_begins_the_count_again_and_its_own_errors_are_no_failure()
    {
        var (cluster, all) = Cluster(2);
        foreach (var status in new[] { 503, 503, 200, 503, 503, 404, 503, 500, 503, 503 })
            Answer(cluster, all[0], status);
        Assert.Empty(_health.Ejected);
    }

    [Fact]
    public void The_next_time_is_longer_until_it_has_been_well_for_a_while()
    {
        var (cluster, all) = Cluster(2);
        void Fail()
        {
            for (var i = 0; i < 3; i++)
                Answer(cluster, all[0], 503);
        }
        Fail();
        _time.Advance(TimeSpan.FromSeconds(3));
        Fail();
        _time.Advance(TimeSpan.FromMinutes(2));
        Fail();
        Assert.Equal([2.0, 4.0, 2.0], _health.Ejected.Select(one => one.Seconds));
    }

    [Fact]
    public void Never_more_than_half_are_put_aside_and_a_single_one_never()
    {
        var (cluster, all) = Cluster(4);
        foreach (var destination in all)
        {
            for (var i = 0; i < 3; i++)
                Answer(cluster, destination, 503);
        }
        Assert.Equal(["d0", "d1"], _health.Ejected.Select(one => one.Id));
        (cluster, all) = Cluster(1);
        for (var i = 0; i < 10; i++)
            Answer(cluster, all[0], 503);
        Assert.Equal(2, _health.Ejected.Count);
    }

    [Fact]
    public void A_client_that_leaves_says_nothing_of_the_service()
    {
        var (cluster, all) = Cluster(2);
        for (var i = 0; i < 10; i++)
        {
            var context = new DefaultHttpContext
            {
                RequestAborted = new CancellationToken(true),
                Response = { StatusCode = 502 },
            };
            _policy.RequestProxied(context, cluster, all[0]);
        }
        Assert.Empty(_health.Ejected);
    }

    private sealed class Updater : IDestinationHealthUpdater
    {
        public List<(string Id, double Seconds)> Ejected { get; } = [];

        public void SetActive(ClusterState cluster, IEnumerable<NewActiveDestinationHealth> newHealthStates) =>
            throw new NotSupportedException();

        public void SetPassive(
            ClusterState cluster,
            DestinationState destination,
            DestinationHealth newHealth,
            TimeSpan reactivationPeriod
        )
        {
            destination.Health.Passive = newHealth;
            Ejected.Add((destination.DestinationId, reactivationPeriod.TotalSeconds));
        }
    }
}

/// <summary>Options that do not change.</summary>
internal sealed class Monitor(GatewayOptions options) : IOptionsMonitor<GatewayOptions>
{
    public GatewayOptions CurrentValue => options;

    public GatewayOptions Get(string? name) => options;

    public IDisposable? OnChange(Action<GatewayOptions, string?> listener) => null;
}
