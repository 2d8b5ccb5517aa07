using System.Globalization;

namespace Galaxy.Coordinator.Storage;

/// <summary>How far a store is: the last write that it did, by the leader's term and the place within it.</summary>
internal readonly record struct StorePosition(long Term, long Place) : IComparable<StorePosition>
{
    public StorePosition Next(long term) => new(term, term == Term ? Place + 1 : 1);

    public int CompareTo(StorePosition other) =>
        Term != other.Term ? Term.CompareTo(other.Term) : Place.CompareTo(other.Place);

    /// <summary>Empty for a store that has done nothing, as the store itself has it.</summary>
    public override string ToString() =>
        this == default ? "" : string.Create(CultureInfo.InvariantCulture, $"{Term}.{Place}");

    public static StorePosition Parse(string? text)
    {
        var parts = (text ?? "").Split('.');
        return
            parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var term)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var place)
            ? new StorePosition(term, place)
            : default;
    }
}
