using Galaxy.Gateway.Balancing;
using Galaxy.Gateway.Settings;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Galaxy.Gateway.Tests.Balancing;

public sealed class SlowStartTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly SlowStart _policy;
    private readonly ClusterState _cluster = new("c");

    public SlowStartTests() =>
        _policy = new SlowStart(new Monitor(new GatewayOptions { SlowStartSeconds = 10 }), _time, new Random(7));

    private static DestinationState One(string id) =>
        new(id, new DestinationModel(new DestinationConfig { Address = "http://" + id }));

    private double Share(DestinationState of, params DestinationState[] all)
    {
        var picks = 0;
        for (var i = 0; i < 10_000; i++)
            picks += _policy.PickDestination(new DefaultHttpContext(), _cluster, all) == of ? 1 : 0;
        return picks / 10_000.0;
    }

    [Fact]
    public void Nobody_one_and_equals()
    {
        var (a, b) = (One("a"), One("b"));
        Assert.Null(_policy.PickDestination(new DefaultHttpContext(), _cluster, []));
        Assert.Same(a, _policy.PickDestination(new DefaultHttpContext(), _cluster, [a]));
        Assert.InRange(Share(a, a, b), 0.45, 0.55);
    }

    [Fact]
    public void Who_comes_anew_gets_a_small_share_that_grows_to_its_whole_one()
    {
        var (old, other, fresh) = (One("old"), One("other"), One("fresh"));
        for (var second = 0; second < 12; second++)
        {
            Share(old, old, other);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        var first = Share(fresh, old, fresh);
        for (var second = 0; second < 5; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Share(fresh, old, fresh);
        }
        var half = Share(fresh, old, fresh);
        for (var second = 0; second < 6; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Share(fresh, old, fresh);
        }
        Assert.InRange(first, 0.05, 0.15);
        Assert.InRange(half, 0.25, 0.42);
        Assert.InRange(Share(fresh, old, fresh), 0.45, 0.55);
    }

    [Fact]
    public void Who_could_not_be_picked_for_a_while_begins_again()
    {
        var (a, b, c) = (One("a"), One("b"), One("c"));
        for (var second = 0; second < 12; second++)
        {
            Share(a, a, b, c);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        for (var second = 0; second < 4; second++)
        {
            Share(a, a, b);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.InRange(Share(c, a, c), 0.05, 0.15);
    }
}
