namespace Galaxy.Core.Scheduling;

/// <summary>What waits for devices: a task, or the parts of a gang, which go together.</summary>
/// <param name="Since">When it was submitted, in ticks.</param>
internal sealed record ReadyItem(string Id, IReadOnlyList<string> TaskIds, long Order, long Since);

/// <summary>Tasks that any device can take or not take alike, in the order in which they are served.</summary>
internal sealed class ReadyLane(string shape, IReadOnlyList<DeviceNeeds> needs)
{
    private readonly PriorityQueue<ReadyItem, (long Order, long Number)> _queue = new();

    public string Shape => shape;

    /// <summary>One, or one for each part of a gang.</summary>
    public IReadOnlyList<DeviceNeeds> Needs => needs;

    /// <summary>True while no device can take the first entry; checked again when a suitable device changes.</summary>
    public bool IsBlocked { get; set; }

    /// <summary>Being passed by many small ones can keep it waiting for ever.</summary>
    public bool CanStarve => needs.Count > 1 || !needs[0].Resources.IsNothing;

    /// <summary>
    /// Where the lane stands in the line of lanes; null: it does not. Entries of it at other places are out of date.
    /// </summary>
    public long? Offered { get; set; }

    public ReadyItem? First => _queue.TryPeek(out var item, out _) ? item : null;

    public void Add(ReadyItem item, long number) => _queue.Enqueue(item, (item.Order, number));

    public void RemoveFirst() => _queue.Dequeue();
}

/// <summary>
/// Everything that waits for a device, by urgency and age. A step of priority is worth <see cref="AgingStep"/> of
/// waiting, so that nothing waits for ever behind what is more urgent, and the order of two tasks never changes.
/// </summary>
internal sealed class ReadyQueue
{
    public static readonly TimeSpan AgingStep = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, ReadyLane> _lanes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<ReadyLane>> _byDevice = new(StringComparer.Ordinal);
    private readonly List<ReadyLane> _general = [];
    private readonly PriorityQueue<ReadyLane, (long Order, long Number)> _open = new();
    private readonly HashSet<string> _waiting = new(StringComparer.Ordinal);
    private readonly HashSet<ReadyLane> _starvable = [];
    private long _number;

    /// <summary>Items, of which a gang is one.</summary>
    public int Count => _waiting.Count;

    /// <summary>Lanes whose first has waited since before that moment and may do so for ever, in their order.</summary>
    public IEnumerable<ReadyLane> Starving(long before) =>
        _starvable.Count == 0
            ? []
            :
            [
                .. _starvable
                    .Where(lane => Cleaned(lane).First is { } first && first.Since < before)
                    .OrderBy(lane => lane.First!.Order),
            ];

    /// <summary>The place in the order: earlier is smaller.</summary>
    public static long OrderOf(DateTimeOffset since, int priority) => since.UtcTicks - priority * AgingStep.Ticks;

    public bool Contains(string id) => _waiting.Contains(id);

    /// <param name="id">Of the task or of the gang.</param>
    /// <param name="needs">Of each part.</param>
    public void Add(
        string id,
        IReadOnlyList<string> taskIds,
        IReadOnlyList<DeviceNeeds> needs,
        DateTimeOffset since,
        int priority
    )
    {
        if (!_waiting.Add(id))
            return;
        var shape = needs.Count == 1 ? needs[0].Shape : "gang\u0001" + id;
        if (!_lanes.TryGetValue(shape, out var lane))
        {
            _lanes[shape] = lane = new ReadyLane(shape, needs);
            ListOf(lane).Add(lane);
            if (lane.CanStarve)
                _starvable.Add(lane);
        }
        lane.Add(new ReadyItem(id, taskIds, OrderOf(since, priority), since.UtcTicks), _number++);
        Offer(lane);
    }

    // A lane that only one named device or type can serve is found by that name; all others are looked through.
    private List<ReadyLane> ListOf(ReadyLane lane)
    {
        if (lane.Needs.Count != 1 || lane.Needs[0].Devices.Count != 1)
            return _general;
        var device = lane.Needs[0].Devices[0];
        return _byDevice.TryGetValue(device, out var list) ? list : _byDevice[device] = [];
    }

    /// <summary>It is cancelled: taken out when its turn comes.</summary>
    public void Remove(string id) => _waiting.Remove(id);

    /// <summary>The first of the lane that comes next, of those that are not blocked; null: nothing.</summary>
    public ReadyLane? Next()
    {
        while (_open.TryPeek(out var lane, out var at))
        {
            if (lane.Offered != at.Order)
            {
                _open.Dequeue();
                continue;
            }
            Clean(lane);
            if (!lane.IsBlocked && lane.First is { } first && first.Order == at.Order)
                return lane;
            // Blocked, empty, or its first is another by now.
            _open.Dequeue();
            lane.Offered = null;
            if (!lane.IsBlocked && lane.First is not null)
                Offer(lane);
        }
        return null;
    }

    /// <summary>The lane's first has been placed.</summary>
    public void Take(ReadyLane lane)
    {
        _waiting.Remove(lane.First!.Id);
        lane.RemoveFirst();
        Offer(lane);
    }

    /// <summary>Devices that were kept free are not any more: everything is looked at again.</summary>
    public void WakeAll()
    {
        foreach (var lane in _lanes.Values.Where(lane => lane.IsBlocked).ToList())
        {
            lane.IsBlocked = false;
            Offer(lane);
        }
    }

    /// <summary>The device has changed: what it could take is looked at again.</summary>
    public void Wake(BoardDevice device)
    {
        foreach (
            var lanes in (IEnumerable<List<ReadyLane>?>)
                [_byDevice.GetValueOrDefault(device.DeviceId), _byDevice.GetValueOrDefault(device.Type), _general]
        )
        {
            for (var i = (lanes?.Count ?? 0) - 1; i >= 0; i--)
            {
                var lane = lanes![i];
                if (!lane.IsBlocked || !lane.Needs.Any(device.Meets))
                    continue;
                lane.IsBlocked = false;
                Offer(lane);
            }
        }
    }

    private void Offer(ReadyLane lane)
    {
        Clean(lane);
        if (lane.First is { } first)
        {
            if (!lane.IsBlocked && (lane.Offered is not { } place || first.Order < place))
            {
                _open.Enqueue(lane, (first.Order, _number++));
                lane.Offered = first.Order;
            }
            return;
        }
        Drop(lane);
    }

    private void Drop(ReadyLane lane)
    {
        _lanes.Remove(lane.Shape);
        _starvable.Remove(lane);
        var list = ListOf(lane);
        list.Remove(lane);
        if (list.Count == 0 && list != _general)
            _byDevice.Remove(lane.Needs[0].Devices[0]);
    }

    /// <summary>Removes cancelled entries that are still in lanes, and empty lanes. Call now and then.</summary>
    public void Compact()
    {
        foreach (var lane in _lanes.Values.ToList())
        {
            if (Cleaned(lane).First is null)
                Drop(lane);
        }
    }

    private ReadyLane Cleaned(ReadyLane lane)
    {
        Clean(lane);
        return lane;
    }

    private void Clean(ReadyLane lane)
    {
        while (lane.First is { } first && !_waiting.Contains(first.Id))
            lane.RemoveFirst();
    }
}
