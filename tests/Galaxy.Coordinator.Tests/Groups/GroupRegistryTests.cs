using System.Text;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Groups;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.Tests.State;
using Galaxy.Coordinator.Tests.Storage;

namespace Galaxy.Coordinator.Tests.Groups;

public sealed class GroupRegistryTests : IDisposable
{
    private readonly OneReplica _a,
        _b;
    private readonly GroupRegistry _onA,
        _onB;

    public GroupRegistryTests()
    {
        var time = new MovingTime();
        (_a, _b) = (new OneReplica("a", time), new OneReplica("b", time));
        (_onA, _onB) = (
            new GroupRegistry(_a.Replica, Quarantines.New()),
            new GroupRegistry(_b.Replica, Quarantines.New())
        );
    }

    /// <summary>A millisecond later at each look: what is done later is later on every replica.</summary>
    private sealed class MovingTime : TimeProvider
    {
        private long _ms = DateTimeOffset.UnixEpoch.AddYears(50).ToUnixTimeMilliseconds();

        public override DateTimeOffset GetUtcNow() =>
            DateTimeOffset.FromUnixTimeMilliseconds(Interlocked.Increment(ref _ms));
    }

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    private void Exchange()
    {
        _a.Hear(_b);
        _b.Hear(_a);
    }

    private static string Devices(GroupView? group) => string.Join(' ', group!.Devices);

    private void Write(OneReplica replica, string key, string json) =>
        replica.Replica.Put(Namespaces.Groups, key, Encoding.UTF8.GetBytes(json));

    [Fact]
    public void Changes_of_different_devices_on_two_coordinators_are_all_kept()
    {
        _onA.Put("g", "Group", ["x", "y", "z"]);
        Exchange();

        _onA.Add("g", "a");
        _onB.Add("g", "b");
        _onA.Remove("g", "x");
        _onB.Remove("g", "y");
        Exchange();

        Assert.Equal(("a b z", "a b z"), (Devices(_onA.Get("g")), Devices(_onB.Get("g"))));
    }

    [Fact]
    public void Changes_at_the_same_time_on_one_coordinator_are_all_kept()
    {
        _onA.Put("g", "Group", [.. Enumerable.Range(0, 100).Select(i => $"old-{i}")]);

        Parallel.For(0, 200, i =>
        {
            if (i < 100)
                _onA.Remove("g", $"old-{i}");
            else
                _onA.Add("g", $"new-{i}");
        });

        Assert.Equal(Enumerable.Range(100, 100).Select(i => $"new-{i}"), _onA.Get("g")!.Devices);
    }

    [Fact]
    public void A_removal_holds_where_the_addition_before_it_has_not_arrived_yet()
    {
        _onA.Put("g", "Group", []);
        Exchange();

        _onA.Add("g", "x");
        _onB.Remove("g", "x");
        Exchange();
        Assert.Equal(("", ""), (Devices(_onA.Get("g")), Devices(_onB.Get("g"))));

        _onB.Remove("g", "x");
        _onA.Add("g", "x");
        Exchange();
        Assert.Equal(("x", "x"), (Devices(_onA.Get("g")), Devices(_onB.Get("g"))));
    }

    [Fact]
    public void A_group_that_is_made_again_has_the_named_devices_only()
    {
        _onA.Put("g", "Group", ["x", "y"]);
        _onA.Put("g", "Other", ["y", "z"]);
        Assert.Equal(("Other", "y z"), (_onA.Get("g")!.Name, Devices(_onA.Get("g"))));

        Assert.True(_onA.Remove("g"));
        Assert.False(_onA.Remove("g"));
        Assert.Null(_onA.Get("g"));
        _onA.Put("g", "Group", ["w"]);
        Assert.Equal("w", Devices(_onA.Get("g")));
    }

    [Fact]
    public void A_group_whose_id_begins_like_another_keeps_its_own_devices()
    {
        _onA.Put("g", "Group", ["x"]);
        _onA.Put("g2", "Group", ["y"]);
        _onA.Put("g", "Group", []);

        Assert.Equal(["g: ", "g2: y"], _onA.List().Select(group => $"{group.GroupId}: {Devices(group)}"));
    }

    [Fact]
    public void A_group_of_the_version_before_is_read_and_changed_on_two_coordinators_without_a_loss()
    {
        Write(_a, "g", """{"group_id":"g","name":"Old","devices":["x","y","z"]}""");
        Exchange();
        Assert.Equal(("Old", "x y z"), (_onB.Get("g")!.Name, Devices(_onB.Get("g"))));

        _onA.Add("g", "a");
        _onA.Remove("g", "x");
        _onB.Remove("g", "y");
        Exchange();
        Assert.Equal(("a z", "a z"), (Devices(_onA.Get("g")), Devices(_onB.Get("g"))));
        _onB.Add("g", "x");
        Exchange();
        Assert.Equal(("a x z", "a x z"), (Devices(_onA.Get("g")), Devices(_onB.Get("g"))));

        _onA.Put("g", "New", ["b"]);
        Exchange();
        Assert.Equal(("b", "b"), (Devices(_onA.Get("g")), Devices(_onB.Get("g"))));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"name":5}""")]
    [InlineData("""{"devices":"all"}""")]
    public void A_record_that_cannot_be_read_hides_no_other_group_and_can_be_removed_and_replaced(string garbage)
    {
        _onA.Put("good", "Good", ["x"]);
        Write(_a, "bad", garbage);
        Write(_a, "worse", garbage);

        Assert.Equal("good", Assert.Single(_onA.List()).GroupId);
        Assert.Null(_onA.Get("bad"));
        Assert.True(_onA.Remove("bad"));
        Assert.Equal("y", Devices(_onA.Put("worse", "Well", ["y"])));
        Assert.Equal(2, _onA.List().Count);
    }
}
