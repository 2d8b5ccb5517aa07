using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.State;

namespace Galaxy.Coordinator.State;

/// <summary>
/// One watcher's stream: <c>begin</c>, a <c>state</c> for every entry, <c>ready</c>, then a <c>change</c> for every key
/// that changes; <c>alive</c> when there is nothing to say. The id of each event says exactly what has been told up to
/// it, so that the stream can be resumed after any of them. Used by one reader, once.
/// </summary>
/// <param name="ns">The namespace that the watcher asks for; null: all that may be watched.</param>
/// <param name="prefix">What the keys begin with that it asks for.</param>
internal sealed class StateWatch(StateFeed feed, ReplicatedState replica, TimeProvider time, string? ns, string prefix)
{
    /// <summary>The longest silence, whatever changes elsewhere.</summary>
    public static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(15);

    /// <summary>
    /// After so many changes that the watcher did not ask for it is told its new position, so that it does not fall
    /// behind what the feed keeps.
    /// </summary>
    public const int MaxUntoldChanges = StateFeed.Capacity / 4;

    private static readonly TimeSpan MinWait = TimeSpan.FromMilliseconds(1);

    // Of the last event; null: there has been none, and one is due at once, as the response begins with it.
    private long? _toldAt;
    private long _toldNumber;

    /// <summary>Ends with either token.</summary>
    /// <param name="lastEventId">
    /// The id of the last event that the watcher has seen. Null, or anything that names no known position: it begins
    /// anew.
    /// </param>
    public async IAsyncEnumerable<SseItem<StateChange?>> FollowAsync(
        string? lastEventId,
        CancellationToken stoppingToken,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, cancellationToken);
        var known = feed.Parse(lastEventId);
        while (!ends.IsCancellationRequested)
        {
            if (known is not { } position)
            {
                // The number first, then what is there: a change in between is told twice rather than not at all.
                position = new WatchPosition(feed.Last, WatchPosition.BeforeAll);
                yield return Item("begin", position);
            }
            if (position.Place is { } place)
            {
                // Entries up to the place that changed or went meanwhile are among the changes after the number.
                foreach (var (entryId, entry) in EntriesAfter(place))
                    yield return Item("state", position with { Place = entryId }, Change(entryId, entry));
                position = new WatchPosition(position.Number);
                yield return Item("ready", position);
            }
            var (changes, last, next) = feed.After(position.Number, IsWanted);
            if (changes is null)
            {
                known = null;
                continue;
            }
            foreach (var (number, id) in changes)
                yield return Item("change", new WatchPosition(number), Change(id, replica.Get(id.Namespace, id.Key)));
            known = position = new WatchPosition(last);
            if (IsAliveDue(last))
                yield return Item("alive", position);
            await next.WaitAsync(UntilAliveIsDue(), time, ends.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Keys to services are shown by their own API only.
    private bool IsWanted(EntryId id) =>
        id.Namespace != Namespaces.Access
        && (ns is null || id.Namespace == ns)
        && id.Key.StartsWith(prefix, StringComparison.Ordinal);

    // In the order of EntryId, which is that of the map.
    private IEnumerable<(EntryId Id, StateEntry Entry)> EntriesAfter(EntryId place) =>
        (ns is null ? replica.All : replica.List(ns))
            .Where(entry => !entry.Deleted)
            .Select(entry => (Id: new EntryId(entry.Namespace, entry.Key), Entry: entry))
            .Where(one => one.Id > place && IsWanted(one.Id));

    private static StateChange Change(EntryId id, StateEntry? entry) => new(id.Namespace, id.Key, entry?.ToView());

    private bool IsAliveDue(long number) =>
        _toldAt is not { } at
        || time.GetElapsedTime(at) >= KeepAliveInterval
        || number - _toldNumber >= MaxUntoldChanges;

    private TimeSpan UntilAliveIsDue()
    {
        var rest = KeepAliveInterval - time.GetElapsedTime(_toldAt ?? time.GetTimestamp());
        return rest > MinWait ? rest : MinWait;
    }

    private SseItem<StateChange?> Item(string type, WatchPosition position, StateChange? change = null)
    {
        (_toldAt, _toldNumber) = (time.GetTimestamp(), position.Number);
        return new SseItem<StateChange?>(change, type) { EventId = feed.Format(position) };
    }
}
