using System.Text;
using BenchmarkDotNet.Attributes;
using Galaxy.Core.Clocks;
using Galaxy.Core.State;

namespace Galaxy.Bench.State;

/// <summary>Compare, merge, apply: <c>bench/state/run.sh</c>.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class StateBenchmarks
{
    private static readonly byte[] Value = Encoding.UTF8.GetBytes(
        """{"device_id":"phone-1","state":"online","battery":0.8}"""
    );

    private ReplicatedMap _full = null!;
    private ReplicatedMap _behind = null!;
    private ReplicatedMap _writer = null!;
    private VersionVector _left = null!;
    private VersionVector _right = null!;
    private StateEntry[] _rumors = null!;
    private VersionVector _equal = null!;
    private int _next;

    /// <summary>Members of the cluster: what the vectors name.</summary>
    [Params(5, 100)]
    public int Members { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        var writers = Enumerable.Range(0, Members).Select(i => new ReplicatedMap("node-" + i)).ToArray();
        (_full, _behind, _writer) = (
            new ReplicatedMap("full"),
            new ReplicatedMap("behind"),
            new ReplicatedMap("writer")
        );
        for (var i = 0; i < 10_000; i++)
        {
            var entry = writers[i % Members].Put("ns", "key-" + i, Value, i);
            _full.Apply(entry, VersionVector.Empty);
            if (i < 9_990)
                _behind.Apply(entry, VersionVector.Empty);
        }
        (_left, _right, _equal) = (_full.Summary, _behind.Summary, _full.Summary);
        _rumors = [.. Enumerable.Range(0, 4096).Select(i => _writer.Put("rumors", "key-" + (i % 256), Value, i))];
    }

    [Benchmark(Description = "compare: does one vector know all that another does")]
    public bool Compare() => _left.Dominates(_right);

    [Benchmark(Description = "merge: two vectors")]
    public VersionVector MergeVectors() => _left.Merge(_right);

    [Benchmark(Description = "delta: nothing missing, 10,000 entries")]
    public int DeltaOfEqual() => _full.DeltaFor(_equal, int.MaxValue)!.Value.Entries.Count;

    [Benchmark(Description = "delta: 10 of 10,000 entries missing")]
    public int DeltaOfTen() => _full.DeltaFor(_right, int.MaxValue)!.Value.Entries.Count;

    [Benchmark(Description = "apply: one rumor")]
    public bool Apply() => _behind.Apply(_rumors[_next++ & 4095], VersionVector.Empty);

    [Benchmark(Description = "write: one entry")]
    public StateEntry Write() => _full.Put("ns", "key-5", Value, 1);
}
