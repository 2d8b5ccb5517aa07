using System.Globalization;
using Galaxy.Core.State;

namespace Galaxy.Coordinator.State;

/// <summary>
/// How far a watcher has been told: every change up to a number, and while it is still being told what is there, every
/// entry up to a place in the order of namespaces and keys. A place rather than a count: entries come and go between
/// two connections.
/// </summary>
/// <param name="Number">The last change that the watcher has been told, or that it did not ask for.</param>
/// <param name="Place">
/// The last entry of the initial entries that it has been told; null: it has been told all of them.
/// </param>
internal readonly record struct WatchPosition(long Number, EntryId? Place = null)
{
    /// <summary>Comes before every entry: no namespace is empty.</summary>
    public static EntryId BeforeAll { get; } = new("", "");

    /// <summary>
    /// <c>boot:number</c>, and <c>boot:number:namespace/key</c> before all entries are told. Percent-encoding keeps any
    /// key within what a header may carry.
    /// </summary>
    /// <param name="boot">Names the process whose numbers these are.</param>
    public string Format(string boot)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{boot}:{Number}");
        if (Place is not { } place)
            return text;
        return place == BeforeAll
            ? text + ":"
            : $"{text}:{Uri.EscapeDataString(place.Namespace)}/{Uri.EscapeDataString(place.Key)}";
    }

    /// <summary>
    /// Null: not a position of that process. Whether it has happened, and is still kept, is for the feed to say.
    /// </summary>
    public static WatchPosition? Parse(string? text, string boot)
    {
        if (text?.Split(':', 3) is not [var process, var digits, .. var rest] || process != boot)
            return null;
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        if (rest is [])
            return new WatchPosition(number);
        return ParsePlace(rest[0]) is { } place ? new WatchPosition(number, place) : null;
    }

    private static EntryId? ParsePlace(string text) =>
        text.Split('/') switch
        {
            [""] => BeforeAll,
            [var ns, var key] => new EntryId(Uri.UnescapeDataString(ns), Uri.UnescapeDataString(key)),
            _ => null,
        };
}
