using System.Text;
using CsCheck;
using Galaxy.Core.Clocks;
using Galaxy.Core.State;

namespace Galaxy.Core.Tests.State;

public class ReplicatedMapTests
{
    private const int Plenty = int.MaxValue;

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string? Value(ReplicatedMap map, string key) =>
        map.Get("ns", key) is { } entry ? Encoding.UTF8.GetString(entry.Value.Span) : null;

    private static void Pull(ReplicatedMap to, ReplicatedMap from, int maxBytes = Plenty)
    {
        if (from.DeltaFor(to.Summary, maxBytes) is var (entries, reaches))
            to.ApplyDelta(entries, reaches, from.Pruned);
        else
            to.Replace([.. from.All], from.Summary, from.Pruned);
    }

    private static void Meet(ReplicatedMap one, ReplicatedMap other)
    {
        Pull(one, other);
        Pull(other, one);
    }

    private static string Show(ReplicatedMap map) =>
        string.Join(
            '\n',
            map.All.Select(e =>
                $"{e.Namespace}/{e.Key}={string.Join(';', e.Versions.Select(v => $"{v.Path} {v.Dot} {v.Time} {v.Deleted} {v.Policy} {Encoding.UTF8.GetString(v.Value.Span)}"))}"
            )
        );

    [Fact]
    public void A_write_arrives_at_another_replica()
    {
        var (a, b) = (new ReplicatedMap("a"), new ReplicatedMap("b"));
        a.Put("ns", "k", Bytes("v"), 1);

        Pull(b, a);

        Assert.Equal("v", Value(b, "k"));
    }

    [Fact]
    public void A_later_write_that_knew_the_earlier_one_wins_whatever_the_clocks_say()
    {
        var (a, b) = (new ReplicatedMap("a"), new ReplicatedMap("b"));
        a.Put("ns", "k", Bytes("old"), 1_000_000);
        Pull(b, a);
        b.Put("ns", "k", Bytes("new"), 5);

        Pull(a, b);

        Assert.Equal("new", Value(a, "k"));
    }

    [Fact]
    public void Of_two_concurrent_writes_the_later_one_wins_everywhere()
    {
        var (a, b) = (new ReplicatedMap("a"), new ReplicatedMap("b"));
        a.Put("ns", "k", Bytes("early"), 10);
        b.Put("ns", "k", Bytes("late"), 20);

        Meet(a, b);

        Assert.Equal(("late", "late"), (Value(a, "k"), Value(b, "k")));
    }

    [Fact]
    public void A_deleted_key_does_not_come_back_from_a_replica_that_missed_the_deletion()
    {
        var (a, b) = (new ReplicatedMap("a"), new ReplicatedMap("b"));
        a.Put("ns", "k", Bytes("v"), 1);
        Pull(b, a);
        a.Delete("ns", "k", 2);

        Meet(a, b);

        Assert.Null(a.Get("ns", "k"));
        Assert.Null(b.Get("ns", "k"));
    }

    [Fact]
    public void A_replica_that_is_up_to_date_is_sent_nothing()
    {
        var (a, b) = (new ReplicatedMap("a"), new ReplicatedMap("b"));
        for (var i = 0; i < 100; i++)
            a.Put("ns", "k" + i, Bytes("v"), i);
        Pull(b, a);

        Assert.Empty(a.DeltaFor(b.Summary, Plenty)!.Value.Entries);
    }

    [Fact]
    public void A_difference_that_is_too_large_for_a_delta_is_not_cut_into_pieces()
    {
        var (a, b) = (new ReplicatedMap("a"), new ReplicatedMap("b"));
        for (var i = 0; i < 500; i++)
            a.Put("ns", "k" + (i % 300), Bytes("value " + i), i);

        Assert.Null(a.DeltaFor(b.Summary, 1000));
        Pull(b, a, maxBytes: 1000);

        Assert.Equal(Show(a), Show(b));
    }

    [Fact]
    public void A_rumor_that_arrives_before_its_predecessors_does_not_hide_them()
    {
        var (a, b) = (new ReplicatedMap("a"), new ReplicatedMap("b"));
        a.Put("ns", "first", Bytes("1"), 1);
        var second = a.Put("ns", "second", Bytes("2"), 2);

        b.Apply(second, VersionVector.Empty);
        Pull(b, a);

        Assert.Equal("1", Value(b, "first"));
    }

    [Fact]
    public void A_value_over_the_limit_is_refused_by_name()
    {
        var failure = Assert.Throws<StateLimitException>(() =>
            new ReplicatedMap("a").Put("ns", "big", new byte[new StateLimits().EntryBytes + 1], 1)
        );

        Assert.Contains("ns/big", failure.Message, StringComparison.Ordinal);
    }

    private sealed record Op(int Kind, int Node, int Other, int Key, long Wall);

    private static readonly Gen<Op[]> Histories = Gen.Select(
            Gen.Int[0, 7],
            Gen.Int[0, 2],
            Gen.Int[0, 2],
            Gen.Int[0, 4],
            Gen.Long[0, 50]
        )
        .Select((kind, node, other, key, wall) => new Op(kind, node, other, key, wall))
        .Array[1, 60];

    // One key per policy.
    private static StateEntry? Write(ReplicatedMap map, Op op) =>
        map.Write(
            "ns",
            "k" + op.Key,
            new StateWrite(
                op.Key == (int)ConflictPolicy.Merge
                    ? Bytes("{\"f" + (op.Wall % 3) + "\":" + op.Wall + ",\"t\":{\"$set\":[" + op.Other + "]}}")
                    : Bytes($"{op.Node}-{op.Wall}"),
                (ConflictPolicy)op.Key,
                op.Other
            ),
            op.Wall
        );

    private static ReplicatedMap Restarted(ReplicatedMap map)
    {
        var again = new ReplicatedMap(map.Origin);
        again.Load([.. map.All], map.Summary, map.Pruned, map.Clock);
        again.Continue();
        return again;
    }

    /// <summary>A version survives unless a write that knew of it does not have it.</summary>
    private static string Expected(List<StateEntry> writes) =>
        string.Join(
            '\n',
            writes
                .GroupBy(write => write.Key)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group =>
                    string.Join(
                        ';',
                        group
                            .SelectMany(write => write.Versions)
                            .DistinctBy(version => (version.Path, version.Dot))
                            .Where(version =>
                                !group.Any(other =>
                                    other.Context.Contains(version.Dot)
                                    && !other.Versions.Any(v => v.Path == version.Path && v.Dot == version.Dot)
                                )
                            )
                            .OrderBy(version => version, Comparer<StateVersion>.Create(StateVersion.CompareByPlace))
                            .Select(version => $"{version.Path} {version.Dot}")
                    )
                )
        );

    private static string Held(ReplicatedMap map) =>
        string.Join(
            '\n',
            map.All.Select(entry => string.Join(';', entry.Versions.Select(version => $"{version.Path} {version.Dot}")))
        );

    [Fact]
    public void Replicas_that_have_met_are_equal_and_hold_exactly_what_no_write_superseded() =>
        Histories.Sample(
            history =>
            {
                ReplicatedMap[] maps = [new("a"), new("b"), new("c")];
                var writes = new List<StateEntry>();
                foreach (var op in history)
                {
                    var map = maps[op.Node];
                    switch (op.Kind)
                    {
                        case 0 or 1 or 2:
                            if (Write(map, op) is { } written)
                                writes.Add(written);
                            break;
                        case 3:
                            if (map.Delete("ns", "k" + op.Key, op.Wall) is { } tombstone)
                                writes.Add(tombstone);
                            break;
                        case 4:
                            Pull(map, maps[op.Other], maxBytes: 150);
                            break;
                        case 5:
                            Pull(map, maps[op.Other]);
                            break;
                        case 6:
                            maps[op.Node] = Restarted(map);
                            break;
                        default:
                            if (writes.Count > 0)
                                map.Apply(writes[(int)(op.Wall % writes.Count)], VersionVector.Empty);
                            break;
                    }
                }
                for (var round = 0; round < 2; round++)
                {
                    Meet(maps[0], maps[1]);
                    Meet(maps[1], maps[2]);
                    Meet(maps[0], maps[2]);
                }
                return Show(maps[0]) == Show(maps[1])
                    && Show(maps[1]) == Show(maps[2])
                    && Held(maps[0]) == Expected(writes)
                    && maps[0].Clock == maps[1].Clock
                    && maps[1].Clock == maps[2].Clock;
            },
            iter: 20_000
        );

    [Fact]
    public void Compacting_at_any_moment_changes_nothing_that_a_reader_sees() =>
        Histories.Sample(
            history =>
            {
                ReplicatedMap[] maps = [new("a"), new("b"), new("c")];
                ReplicatedMap[] plain = [new("a"), new("b"), new("c")];
                foreach (var op in history)
                {
                    switch (op.Kind)
                    {
                        case 0 or 1 or 2:
                            Write(maps[op.Node], op);
                            Write(plain[op.Node], op);
                            break;
                        case 3:
                            maps[op.Node].Delete("ns", "k" + op.Key, op.Wall);
                            plain[op.Node].Delete("ns", "k" + op.Key, op.Wall);
                            break;
                        case 4 or 5:
                            Pull(maps[op.Node], maps[op.Other]);
                            Pull(plain[op.Node], plain[op.Other]);
                            break;
                        default:
                            // What no member can still be writing without knowing of it.
                            if (Array.TrueForAll(maps, map => maps[op.Node].Summary.Dominates(map.Summary)))
                                maps[op.Node].Compact(maps[0].Summary.Meet(maps[1].Summary).Meet(maps[2].Summary));
                            break;
                    }
                }
                for (var round = 0; round < 2; round++)
                {
                    foreach (var set in new[] { maps, plain })
                    {
                        Meet(set[0], set[1]);
                        Meet(set[1], set[2]);
                        Meet(set[0], set[2]);
                    }
                }
                return Array.TrueForAll(maps, map => Seen(map) == Seen(plain[0]));

                static string Seen(ReplicatedMap map) =>
                    string.Join(
                        '\n',
                        map.List("ns")
                            .Select(entry =>
                                $"{entry.Key}={Encoding.UTF8.GetString(entry.Value.Span)} {entry.IsContested}"
                            )
                    );
            },
            iter: 20_000
        );

    private static readonly Gen<VersionVector> Vectors = Gen.Select(Gen.Int[0, 3], Gen.ULong[1, 9])
        .Array[0, 6]
        .Select(dots =>
            dots.Aggregate(VersionVector.Empty, (vector, dot) => vector.With(new Dot("n" + dot.Item1, dot.Item2)))
        );

    [Fact]
    public void Merging_version_vectors_is_commutative_associative_and_idempotent() =>
        Gen.Select(Vectors, Vectors, Vectors)
            .Sample(
                (a, b, c) =>
                    a.Merge(b).Equals(b.Merge(a))
                    && a.Merge(b).Merge(c).Equals(a.Merge(b.Merge(c)))
                    && a.Merge(a).Equals(a)
                    && a.Merge(b).Dominates(a),
                iter: 5_000
            );

    [Fact]
    public void A_hybrid_clock_never_goes_back_and_passes_what_it_hears_of() =>
        Gen.Select(Gen.Long[0, 1000], Gen.Int[0, 5], Gen.Long[0, 1000])
            .Array[1, 50]
            .Sample(
                events =>
                {
                    var clock = default(Hlc);
                    foreach (var (wall, kind, remote) in events)
                    {
                        var heard = new Hlc(remote, 3);
                        var known = kind == 0 ? clock.Receive(heard) : clock;
                        var next = known.Next(wall);
                        if (known < clock || next <= clock || (kind == 0 && next <= heard))
                            return false;
                        clock = next;
                    }
                    return true;
                },
                iter: 2_000
            );
}
