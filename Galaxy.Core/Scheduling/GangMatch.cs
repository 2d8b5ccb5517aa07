namespace Galaxy.Core.Scheduling;

/// <summary>
/// Finds a device for every part of a gang, all different slots, or finds that there is none: augmenting paths in the
/// bipartite graph of parts and devices (Kuhn, The Hungarian method for the assignment problem, 1955).
/// </summary>
internal sealed class GangMatch
{
    private readonly IReadOnlyList<DeviceNeeds> _needs;
    private readonly List<Seat>[] _can;
    private readonly Dictionary<Seat, List<int>> _given = [];
    private readonly Func<Seat, int> _slots;

    private GangMatch(IReadOnlyList<DeviceNeeds> needs, IEnumerable<Seat> seats, Func<Seat, int> slots)
    {
        (_needs, _slots) = (needs, slots);
        var open = seats
            .Where(seat => seat.IsPresent && slots(seat) > 0)
            .OrderBy(seat => seat.Load)
            .ThenBy(seat => seat.Device.DeviceId, StringComparer.Ordinal)
            .ToList();
        _can = [.. needs.Select(need => open.Where(seat => seat.Device.Meets(need)).ToList())];
    }

    /// <summary>A seat for each part, in order; null: not possible.</summary>
    /// <param name="slots">How many parts a device may be given.</param>
    public static IReadOnlyList<Seat>? Find(
        IReadOnlyList<DeviceNeeds> needs,
        IEnumerable<Seat> seats,
        Func<Seat, int> slots
    )
    {
        var match = new GangMatch(needs, seats, slots);
        for (var part = 0; part < needs.Count; part++)
        {
            if (!match.Place(part, []))
                return null;
        }
        var found = new Seat[needs.Count];
        foreach (var (seat, parts) in match._given)
            parts.ForEach(part => found[part] = seat);
        return found;
    }

    private bool Place(int part, HashSet<Seat> tried)
    {
        foreach (var seat in _can[part])
        {
            if (!tried.Add(seat))
                continue;
            var given = _given.TryGetValue(seat, out var list) ? list : _given[seat] = [];
            if (given.Count < _slots(seat) && Fits(seat, given, part))
            {
                given.Add(part);
                return true;
            }
            for (var i = 0; i < given.Count; i++)
            {
                var other = given[i];
                given.RemoveAt(i);
                if (Fits(seat, given, part) && Place(other, tried))
                {
                    given.Add(part);
                    return true;
                }
                given.Insert(i, other);
            }
        }
        return false;
    }

    private bool Fits(Seat seat, List<int> given, int part)
    {
        if (seat.Device.Room is not { } room)
            return true;
        var sum = seat.Used + _needs[part].Resources;
        foreach (var other in given)
            sum += _needs[other].Resources;
        return sum.FitsInto(room);
    }
}
