using System.Collections.Concurrent;
using System.Diagnostics;

namespace Galaxy.Bench.Gossip;

/// <summary>When each write was sent, and when the last of all nodes showed it. Thread-safe.</summary>
internal sealed class Arrivals(int nodes)
{
    private readonly ConcurrentDictionary<string, Write> _byName = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<Write> _writes = new();

    public int Count => _writes.Count;

    /// <summary>A write is about to be sent.</summary>
    public void Sending(string name)
    {
        var write = new Write(nodes);
        _byName[name] = write;
        _writes.Enqueue(write);
    }

    /// <summary>A node shows it.</summary>
    public void Seen(string name, int node)
    {
        if (_byName.TryGetValue(name, out var write))
            write.Seen(node);
    }

    /// <summary>
    /// Milliseconds from sending to the last node, of each write in their order; throws when one is not everywhere in
    /// time.
    /// </summary>
    public async Task<IReadOnlyList<double>> EverywhereAsync(TimeSpan patience)
    {
        var all = Task.WhenAll(_writes.Select(write => write.Everywhere));
        try
        {
            return await all.WaitAsync(patience);
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException(
                $"{_writes.Count(write => !write.Everywhere.IsCompleted)} of {_writes.Count} writes are "
                    + $"not everywhere after {patience.TotalSeconds:0} s"
            );
        }
    }

    private sealed class Write(int nodes)
    {
        private readonly long _sentAt = Stopwatch.GetTimestamp();
        private readonly TaskCompletionSource<double> _everywhere = new(
            TaskCreationOptions.RunContinuationsAsynchronously
        );
        private readonly HashSet<int> _seen = [];

        public Task<double> Everywhere => _everywhere.Task;

        public void Seen(int node)
        {
            lock (_seen)
            {
                if (_seen.Add(node) && _seen.Count == nodes)
                    _everywhere.TrySetResult(Stopwatch.GetElapsedTime(_sentAt).TotalMilliseconds);
            }
        }
    }
}
