using System.Globalization;
using Galaxy.Coordinator.Gossip;
using Galaxy.Core.State;

namespace Galaxy.Coordinator.State;

/// <summary>
/// The latest changes in the order in which they happened here, so that a watcher who was cut off can go on where it was.
/// A position is this process's id and a number; one that this process does not know begins anew. Thread-safe.
/// </summary>
internal sealed class StateFeed
{
    private const int Kept = 4096;

    private readonly Lock _gate = new();
    private readonly EntryId[] _changes = new EntryId[Kept];
    private readonly GossipNode _gossip;
    private readonly string _boot;
    private long _last;
    private readonly Dictionary<string, TaskCompletionSource> _changedIn = new(StringComparer.Ordinal);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public StateFeed(GossipNode gossip, Identity identity)
    {
        (_gossip, _boot) = (gossip, identity.Boot);
        gossip.Written += Note;
        gossip.Arrived += Note;
    }

    private void Note(IReadOnlyList<StateEntry> entries)
    {
        lock (_gate)
        {
            foreach (var entry in entries)
            {
                _changes[++_last % Kept] = new EntryId(entry.Namespace, entry.Key);
                if (_changedIn.Remove(entry.Namespace, out var waiting))
                    waiting.SetResult();
            }
            _changed.SetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Completes at the next change in a namespace. Take it before reading. For many who wait for what seldom changes.</summary>
    public Task NextIn(string ns)
    {
        lock (_gate)
        {
            if (!_changedIn.TryGetValue(ns, out var next))
                _changedIn[ns] = next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return next.Task;
        }
    }

    /// <summary>The position after everything that has happened.</summary>
    public long Now
    {
        get
        {
            lock (_gate)
                return _last;
        }
    }

    public string Name(long position) => string.Create(CultureInfo.InvariantCulture, $"{_boot}:{position}");

    /// <summary>Null: unknown here, or so long ago that changes since then are forgotten.</summary>
    public long? Parse(string? name)
    {
        if (name?.Split(':') is not [var boot, var number] || boot != _boot || !long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var position))
            return null;
        lock (_gate)
            return position <= _last && position >= _last - Kept ? position : null;
    }

    /// <summary>
    /// What changed after a position, each key once, as it is now; a tombstone or nothing: it is gone. Null entries of the answer:
    /// the watcher was too slow and must begin anew. The task completes at the next change.
    /// </summary>
    public (IReadOnlyList<(EntryId Id, StateEntry? Entry)>? Changes, long Position, Task Next) After(long position)
    {
        lock (_gate)
        {
            if (position < _last - Kept)
                return (null, _last, _changed.Task);
            var ids = new HashSet<EntryId>();
            for (var number = position + 1; number <= _last; number++)
                ids.Add(_changes[number % Kept]);
            return ([.. ids.Select(id => (id, _gossip.Find(id)))], _last, _changed.Task);
        }
    }
}
