using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.State;

namespace Galaxy.Coordinator.State;

/// <summary>
/// The latest changes in the order in which they happened here, so that a disconnected watcher can resume where it was.
/// Every change has a number, of which a <see cref="WatchPosition"/> is made. Positions of another process, of the
/// future, and those whose changes are not kept any more are unknown: such a watcher begins anew. Thread-safe.
/// </summary>
internal sealed class StateFeed
{
    /// <summary>How many changes are kept.</summary>
    public const int Capacity = 4096;

    private readonly Lock _gate = new();
    private readonly EntryId[] _changes = new EntryId[Capacity];
    private readonly string _boot;
    private long _last;
    private readonly Dictionary<string, TaskCompletionSource> _changedIn = new(StringComparer.Ordinal);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public StateFeed(ReplicatedState replica, Identity identity)
    {
        _boot = identity.Boot;
        replica.Written += Note;
        replica.Arrived += Note;
        replica.Expired += Note;
    }

    private void Note(IReadOnlyList<StateEntry> entries)
    {
        lock (_gate)
        {
            foreach (var entry in entries)
            {
                _changes[++_last % Capacity] = new EntryId(entry.Namespace, entry.Key);
                if (_changedIn.Remove(entry.Namespace, out var waiting))
                    waiting.SetResult();
            }
            _changed.SetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>
    /// Completes at the next change in a namespace. Take it before reading. Meant for many callers that wait for a rare
    /// change.
    /// </summary>
    public Task NextIn(string ns)
    {
        lock (_gate)
        {
            if (!_changedIn.TryGetValue(ns, out var next))
                _changedIn[ns] = next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return next.Task;
        }
    }

    /// <summary>The number of the last change that has happened.</summary>
    public long Last
    {
        get
        {
            lock (_gate)
                return _last;
        }
    }

    /// <summary>The position as an event's id.</summary>
    public string Format(WatchPosition position) => position.Format(_boot);

    /// <summary>
    /// The position that an id names; null: unknown here, or so long ago that changes since then are forgotten.
    /// </summary>
    public WatchPosition? Parse(string? eventId)
    {
        if (WatchPosition.Parse(eventId, _boot) is not { } position)
            return null;
        lock (_gate)
            return IsKept(position.Number) ? position : null;
    }

    /// <summary>
    /// The keys that changed after a number, each once and under the number of its last change, in the order of the
    /// numbers. So a watcher that has read this answer up to any number and asks again from there misses nothing: a key
    /// that changed before and after that number comes after it.
    /// </summary>
    /// <remarks>
    /// The caller reads the entries later, and each is at least as new as its number says: the state changes before the
    /// change is noted here. What is read too new is told again, under a later number.
    /// </remarks>
    /// <returns>
    /// Changes; null when those after the number are not all kept, and the watcher must begin anew. The number that the
    /// answer reaches. A task that completes at the next change.
    /// </returns>
    public (IReadOnlyList<FeedChange>? Changes, long Last, Task Next) After(long number, Func<EntryId, bool> isWanted)
    {
        lock (_gate)
        {
            if (!IsKept(number))
                return (null, _last, _changed.Task);
            var seen = new HashSet<EntryId>();
            var changes = new List<FeedChange>();
            for (var at = _last; at > number; at--)
            {
                var id = _changes[at % Capacity];
                if (isWanted(id) && seen.Add(id))
                    changes.Add(new FeedChange(at, id));
            }
            changes.Reverse();
            return (changes, _last, _changed.Task);
        }
    }

    private bool IsKept(long number) => number <= _last && number >= _last - Capacity;
}

/// <summary>A key and the number of its last change.</summary>
internal readonly record struct FeedChange(long Number, EntryId Id);
