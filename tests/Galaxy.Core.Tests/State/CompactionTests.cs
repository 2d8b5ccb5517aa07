using System.Text;
using Galaxy.Core.Clocks;
using Galaxy.Core.State;

namespace Galaxy.Core.Tests.State;

public class CompactionTests
{
    private readonly ReplicatedMap _a = new("a");
    private readonly ReplicatedMap _b = new("b");

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static void Pull(ReplicatedMap to, ReplicatedMap from)
    {
        if (from.NeedsEverything(to.Summary, to.Digest))
        {
            to.Replace([.. from.All], from.Summary, from.Pruned);
            return;
        }
        var (entries, reaches) = from.DeltaFor(to.Summary, int.MaxValue)!.Value;
        to.ApplyDelta(entries, reaches, from.Pruned);
    }

    private static ReplicatedMap Restarted(ReplicatedMap map)
    {
        var again = new ReplicatedMap(map.Origin);
        again.Load([.. map.All], map.Summary, map.Pruned, map.Clock);
        again.Continue();
        return again;
    }

    [Fact]
    public void A_tombstone_that_everybody_has_seen_goes()
    {
        _a.Put("ns", "k", Bytes("v"), 1);
        _a.Delete("ns", "k", 2);
        Pull(_b, _a);

        _a.Compact(_a.Summary.Meet(_b.Summary));

        Assert.Equal(0, _a.Count);
        Assert.Equal(0, _a.Bytes);
    }

    [Fact]
    public void A_tombstone_that_somebody_has_not_seen_stays()
    {
        _a.Put("ns", "k", Bytes("v"), 1);
        Pull(_b, _a);
        _a.Delete("ns", "k", 2);

        _a.Compact(_a.Summary.Meet(_b.Summary));

        Assert.Equal(1, _a.Count);
    }

    [Fact]
    public void A_node_that_was_away_while_the_tombstone_was_dropped_does_not_bring_the_key_back()
    {
        _a.Put("ns", "k", Bytes("v"), 1);
        Pull(_b, _a);
        var away = Restarted(_b);
        away.Put("ns", "own", Bytes("written while away"), 3);
        _a.Delete("ns", "k", 2);
        _a.Compact(_a.Summary);

        Pull(_a, away);
        Pull(away, _a);

        Assert.Null(_a.Get("ns", "k"));
        Assert.Null(away.Get("ns", "k"));
        Assert.NotNull(_a.Get("ns", "own"));
        Assert.NotNull(away.Get("ns", "own"));
    }

    [Fact]
    public void A_node_that_comes_back_from_an_old_snapshot_is_no_sibling_of_what_replaced_its_value()
    {
        _a.Write("ns", "k", new StateWrite(Bytes("old"), ConflictPolicy.Manual), 1);
        Pull(_b, _a);
        var old = Restarted(_b);
        _a.Write("ns", "k", new StateWrite(Bytes("new"), ConflictPolicy.Manual), 2);
        Pull(_b, _a);
        _a.Compact(_a.Summary.Meet(_b.Summary));

        Pull(old, _a);
        Pull(_a, old);

        Assert.Equal("new", Encoding.UTF8.GetString(old.Get("ns", "k")!.Value.Span));
        Assert.False(_a.Get("ns", "k")!.IsContested);
    }

    [Fact]
    public void What_is_left_of_an_entry_is_read_anew_when_a_sibling_of_it_goes()
    {
        _a.Write("ns", "k", new StateWrite(Bytes("one"), ConflictPolicy.Manual), 1);
        _b.Write("ns", "k", new StateWrite(Bytes("two"), ConflictPolicy.Manual), 2);
        var c = new ReplicatedMap("c");
        Pull(c, _a);
        Pull(c, _b);
        Assert.Equal("two", Encoding.UTF8.GetString(c.Get("ns", "k")!.Value.Span));

        // A peer that has seen the later one and does not hold it.
        c.Replace([], _b.Summary, VersionVector.Empty);

        Assert.Equal("one", Encoding.UTF8.GetString(c.Get("ns", "k")!.Value.Span));
        Assert.Equal(_a.Digest, c.Digest);
    }

    [Fact]
    public void A_conflict_is_not_compacted_away()
    {
        _a.Write("ns", "k", new StateWrite(Bytes("one"), ConflictPolicy.Manual), 1);
        _b.Write("ns", "k", new StateWrite(Bytes("two"), ConflictPolicy.Manual), 1);
        Pull(_a, _b);
        Pull(_b, _a);

        _a.Compact(_a.Summary.Meet(_b.Summary));

        Assert.True(_a.Get("ns", "k")!.IsContested);
    }

    [Fact]
    public void A_departed_nodes_clock_entry_goes_and_a_peer_that_still_has_it_does_not_bring_it_back()
    {
        _b.Put("ns", "k", Bytes("v"), 1);
        Pull(_a, _b);
        _a.Put("ns", "k", Bytes("over it"), 2);
        var c = new ReplicatedMap("c");
        Pull(c, _a);

        _a.Compact(_a.Summary);
        _a.ForgetOrigins(["b"]);
        Assert.Equal(["a"], _a.Summary.Dots.Select(dot => dot.Origin));
        Pull(_a, c);

        Assert.Equal(["a"], _a.Summary.Dots.Select(dot => dot.Origin));
        Assert.Equal(["a"], _a.All.Single().Context.Dots.Select(dot => dot.Origin));
    }

    [Fact]
    public void The_total_bound_refuses_the_next_write_and_a_deletion_makes_room()
    {
        var map = new ReplicatedMap("a", new StateLimits { TotalBytes = 2000 });
        map.Put("ns", "k", new byte[1500], 1);

        var full = Assert.Throws<StateLimitException>(() => map.Put("ns", "more", new byte[1000], 2));
        Assert.Contains("full", full.Message, StringComparison.Ordinal);
        map.Delete("ns", "k", 3);

        Assert.NotNull(map.Put("ns", "more", new byte[1000], 4));
    }
}
