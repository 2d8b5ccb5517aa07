namespace Galaxy.Core.Scheduling;

/// <summary>
/// All devices, found by id, type and capability, and the choice among them. Looks begin at a random place and end
/// early where nothing better can come, so that a choice among thousands of idle devices costs as much as one among
/// ten.
/// </summary>
internal sealed class SeatPlan(Random random)
{
    private readonly Dictionary<string, Seat> _all = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Seat>> _byCapability = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Seat>> _byType = new(StringComparer.Ordinal);
    private readonly List<Seat> _present = [];
    private int _turn;

    public IReadOnlyCollection<Seat> All => _all.Values;

    public Seat? Find(string deviceId) => _all.GetValueOrDefault(deviceId);

    public Seat FindOrAdd(BoardDevice device)
    {
        if (_all.TryGetValue(device.DeviceId, out var seat))
            return seat;
        return _all[device.DeviceId] = new Seat(device);
    }

    /// <summary>Adds the device, or replaces what is known of it.</summary>
    public Seat Arrive(BoardDevice device)
    {
        var seat = FindOrAdd(device);
        Leave(seat);
        seat.Device = device;
        seat.IsPresent = true;
        _present.Add(seat);
        List(_byType, device.Type).Add(seat);
        foreach (var capability in device.Capabilities.Keys)
            List(_byCapability, capability).Add(seat);
        return seat;
    }

    public void Leave(Seat seat)
    {
        if (!seat.IsPresent)
            return;
        seat.IsPresent = false;
        _present.Remove(seat);
        Remove(_byType, seat.Device.Type, seat);
        foreach (var capability in seat.Device.Capabilities.Keys)
            Remove(_byCapability, capability, seat);
    }

    /// <summary>Forgets a device that is away and has nothing.</summary>
    public void Forget(Seat seat)
    {
        if (!seat.IsPresent && seat.Tasks.Count == 0)
            _all.Remove(seat.Device.DeviceId);
    }

    private static List<Seat> List(Dictionary<string, List<Seat>> index, string key) =>
        index.TryGetValue(key, out var list) ? list : index[key] = [];

    private static void Remove(Dictionary<string, List<Seat>> index, string key, Seat seat)
    {
        if (index.TryGetValue(key, out var list) && list.Remove(seat) && list.Count == 0)
            index.Remove(key);
    }

    /// <summary>Whether any present device could take such a task when it is free.</summary>
    public bool AnyMeets(DeviceNeeds needs) =>
        Candidates(needs).Any(list => list.Exists(seat => seat.Device.Meets(needs)));

    /// <summary>Null when no suitable device is free.</summary>
    /// <param name="closed">Devices that are kept free for another task; null: none.</param>
    public Seat? Pick(DeviceNeeds needs, PlacementStrategy strategy, IReadOnlySet<Seat>? closed)
    {
        if (needs.Preferred.Count > 0 && PickAmong(needs, strategy, closed, needs.Preferred) is { } preferred)
            return preferred;
        return PickAmong(needs, strategy, closed, null);
    }

    private Seat? PickAmong(
        DeviceNeeds needs,
        PlacementStrategy strategy,
        IReadOnlySet<Seat>? closed,
        IReadOnlyList<string>? preferred
    )
    {
        Seat? best = null;
        foreach (var list in Candidates(needs))
        {
            var start =
                strategy == PlacementStrategy.RoundRobin
                    ? _turn++ % Math.Max(list.Count, 1)
                    : random.Next(Math.Max(list.Count, 1));
            var found = 0;
            for (var i = 0; i < list.Count; i++)
            {
                var seat = list[(start + i) % list.Count];
                if (
                    !seat.HasRoom(needs.Resources)
                    || closed?.Contains(seat) == true
                    || !seat.Device.Meets(needs)
                    || preferred is not null && !seat.Device.IsAmong(preferred)
                )
                    continue;
                found++;
                if (best is null || IsBetter(seat, best, strategy, needs))
                    best = seat;
                if (IsEnough(best, strategy, found))
                    break;
                // The second of the two choices is as random as the first.
                if (strategy == PlacementStrategy.Adaptive)
                    start = random.Next(list.Count);
            }
        }
        return best;
    }

    // Nothing that comes later could be better.
    private static bool IsEnough(Seat best, PlacementStrategy strategy, int found) =>
        strategy switch
        {
            PlacementStrategy.RoundRobin or PlacementStrategy.Random => true,
            PlacementStrategy.LeastLoaded => best.Tasks.Count == 0,
            PlacementStrategy.Adaptive => found == 2,
            _ => false,
        };

    private IEnumerable<List<Seat>> Candidates(DeviceNeeds needs)
    {
        if (needs.Devices.Count > 0)
        {
            foreach (var name in needs.Devices)
            {
                if (_all.TryGetValue(name, out var seat))
                    yield return [seat];
                else if (_byType.TryGetValue(name, out var list))
                    yield return list;
            }
            yield break;
        }
        List<Seat>? rarest = _present;
        foreach (var capability in needs.Capabilities)
        {
            if (!_byCapability.TryGetValue(capability, out var list))
                yield break;
            if (list.Count < rarest.Count)
                rarest = list;
        }
        yield return rarest;
    }

    private static bool IsBetter(Seat a, Seat b, PlacementStrategy strategy, DeviceNeeds needs)
    {
        var order = strategy switch
        {
            PlacementStrategy.Priority when needs.Capabilities.Count > 0 => PriorityOf(b, needs.Capabilities[0])
                .CompareTo(PriorityOf(a, needs.Capabilities[0])),
            PlacementStrategy.Fair => a.FairShare.CompareTo(b.FairShare),
            PlacementStrategy.Capability => a.Device.Capabilities.Count.CompareTo(b.Device.Capabilities.Count),
            PlacementStrategy.Location => Nearness(b.Device.Location, needs.Location)
                .CompareTo(Nearness(a.Device.Location, needs.Location)),
            PlacementStrategy.Adaptive => a.Wait.CompareTo(b.Wait),
            _ => 0,
        };
        return order < 0 || order == 0 && a.Load < b.Load;
    }

    private static int PriorityOf(Seat seat, string capability) =>
        seat.Device.Capabilities.GetValueOrDefault(capability);

    /// <summary>
    /// How many parts of the path both have in common from the left; a place further down than asked for counts as much
    /// as the place itself.
    /// </summary>
    internal static int Nearness(string place, string wanted)
    {
        var (a, b) = (place.Split('/'), wanted.Split('/'));
        var common = 0;
        while (
            common < a.Length
            && common < b.Length
            && a[common].Length > 0
            && string.Equals(a[common], b[common], StringComparison.OrdinalIgnoreCase)
        )
            common++;
        return common;
    }
}
