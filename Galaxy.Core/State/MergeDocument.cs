using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Galaxy.Core.State;

/// <summary>
/// Between a JSON document and the places that are written one by one, so that two people may change two fields at once
/// and keep both changes. A place is a JSON pointer (RFC 6901) to a scalar, an array or an empty object. Two objects
/// stand for types that merge further:
/// <list type="bullet">
/// <item><c>{"$set": [a, b]}</c>: an observed-remove set (Shapiro et al., 2011). Each element is a place; of a
/// concurrent addition and removal the addition stays.</item>
/// <item><c>{"$counter": n}</c>: a counter. Writing it writes the difference, kept per origin; the value is their
/// sum.</item>
/// </list>
/// </summary>
internal static class MergeDocument
{
    private const string Set = "$set";
    private const string Counter = "$counter";
    private const int MaxDepth = 64;

    // Each place is kept with its whole path: many leaves below a long name take many times the document.
    private const int MaxPathLength = 512 * 1024;

    // Larger than any real count, and small enough that the sum over all origins is still a decimal.
    private const decimal MaxCounter = 1e18m;

    /// <summary>The document's places with their JSON text.</summary>
    /// <exception cref="JsonException">Not a JSON object, nested more than 64 deep, or with a counter beyond
    /// ±1e18.</exception>
    /// <exception cref="StateLimitException">The paths of its places are too long together.</exception>
    public static Dictionary<string, string> Flatten(ReadOnlyMemory<byte> json)
    {
        var root =
            JsonNode.Parse(json.Span, documentOptions: new JsonDocumentOptions { MaxDepth = MaxDepth }) as JsonObject
            ?? throw new JsonException("A merged value must be a JSON object.");
        var places = new Dictionary<string, string>(StringComparer.Ordinal);
        var left = MaxPathLength;
        Flatten("", root, places, ref left);
        return places;
    }

    private static void Flatten(string path, JsonNode? node, Dictionary<string, string> places, ref int left)
    {
        if ((left -= path.Length) < 0)
            throw new StateLimitException(
                "The document has too many values below long names: with their paths they take more than "
                    + $"{MaxPathLength} characters."
            );
        switch (node)
        {
            case JsonObject { Count: 1 } set when set[Set] is JsonArray elements:
                places[$"{path}/{Set}"] = "[]";
                foreach (var element in elements)
                {
                    var text = Text(element);
                    places[$"{path}/{Set}/{Escape(text)}"] = text;
                    if ((left -= path.Length + text.Length) < 0)
                        throw new StateLimitException(
                            $"The set at '{path}' is too large: with their paths its elements take more "
                                + $"than {MaxPathLength} characters."
                        );
                }
                break;
            case JsonObject { Count: 1 } counter
                when counter[Counter] is JsonValue value && value.TryGetValue<decimal>(out var number):
                if (Math.Abs(number) > MaxCounter)
                    throw OutOfRange(path);
                places[$"{path}/{Counter}"] = number.ToString(CultureInfo.InvariantCulture);
                break;
            case JsonObject { Count: 1 } counter
                when counter[Counter] is JsonValue huge && huge.GetValueKind() == JsonValueKind.Number:
                throw OutOfRange(path);
            case JsonObject reserved when reserved.ContainsKey(Set) || reserved.ContainsKey(Counter):
                throw new JsonException(
                    $"At '{path}': {Set} takes an array and {Counter} a number, and each stands alone in its object."
                );
            case JsonObject { Count: > 0 } fields:
                foreach (var (name, field) in fields)
                    Flatten($"{path}/{Escape(name)}", field, places, ref left);
                break;
            default:
                places[path] = Text(node);
                break;
        }
    }

    private static JsonException OutOfRange(string path) =>
        new($"{(path.Length > 0 ? $"At '{path}': a" : "A")} counter may be {-MaxCounter:N0} to {MaxCounter:N0}.");

    /// <summary>
    /// The places to write so that a reader of <paramref name="now"/> plus these sees what was asked for: changed ones
    /// with their text, removed ones with null.
    /// </summary>
    /// <param name="origin">The writer: a counter's difference is kept under that name.</param>
    public static Dictionary<string, string?> Changes(
        IReadOnlyList<StateVersion> now,
        Dictionary<string, string> wanted,
        string origin
    )
    {
        var present = Resolve(now);
        var changes = new Dictionary<string, string?>(StringComparer.Ordinal);
        var counters = ReadCounters(present, origin);
        foreach (var (path, text) in wanted)
        {
            if (path.EndsWith("/" + Counter, StringComparison.Ordinal))
            {
                var known = counters.TryGetValue(path, out var counter);
                if (
                    Add(decimal.Parse(text, CultureInfo.InvariantCulture), -counter.Sum) is var difference
                    && (difference != 0 || !known)
                )
                    changes[$"{path}/{Escape(origin)}"] = Add(counter.Mine, difference)
                        .ToString(CultureInfo.InvariantCulture);
            }
            else if (!present.TryGetValue(path, out var held) || Encoding.UTF8.GetString(held.Value.Span) != text)
            {
                changes[path] = text;
            }
        }
        foreach (var path in present.Keys)
        {
            if (!wanted.ContainsKey(path) && !(CounterOf(path) is { } counter && wanted.ContainsKey(counter)))
                changes[path] = null;
        }
        return changes;
    }

    /// <summary>
    /// The document that a reader sees, as UTF-8 JSON with fields in ordinal order; null when nothing is left.
    /// </summary>
    public static byte[]? Build(IReadOnlyList<StateVersion> versions)
    {
        var present = Resolve(versions);
        if (present.Count == 0)
            return null;
        var root = new JsonObject();
        foreach (var (path, version) in present.OrderBy(place => place.Key, StringComparer.Ordinal))
        {
            if (path.Length > 0)
                Place(root, path, version);
        }
        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    /// <summary>The writes that decide what a reader sees, in the order of their places.</summary>
    public static IEnumerable<StateVersion> Reduce(IReadOnlyList<StateVersion> versions) => Resolve(versions).Values;

    // Of the writes at a place: the latest; in a set whatever was added. Of a scalar and an object in its place: the
    // later.
    private static SortedDictionary<string, StateVersion> Resolve(IReadOnlyList<StateVersion> versions)
    {
        var winners = new SortedDictionary<string, StateVersion>(StringComparer.Ordinal);
        foreach (var version in versions)
        {
            if (!winners.TryGetValue(version.Path, out var holder) || Beats(version, holder))
                winners[version.Path] = version;
        }
        foreach (var path in winners.Where(place => place.Value.Deleted).Select(place => place.Key).ToList())
            winners.Remove(path);
        foreach (var path in winners.Keys.Where(path => path.Length > 0).ToList())
        {
            if (!winners.TryGetValue(path, out var deeper))
                continue;
            foreach (var parent in Parents(path))
            {
                if (parent.EndsWith("/" + Set, StringComparison.Ordinal) || !winners.TryGetValue(parent, out var leaf))
                    continue;
                // The root is an object always: what stands there says only that it was written empty.
                if (parent.Length == 0 || deeper.CompareAge(leaf) > 0)
                    winners.Remove(parent);
                else
                    winners.Remove(path);
            }
        }
        return winners;
    }

    private static bool Beats(StateVersion challenger, StateVersion holder) =>
        IsElement(challenger.Path) && challenger.Deleted != holder.Deleted
            ? holder.Deleted
            : challenger.CompareAge(holder) > 0;

    private static bool IsElement(string path) => path.Contains($"/{Set}/", StringComparison.Ordinal);

    private static string? CounterOf(string path) =>
        path.LastIndexOf($"/{Counter}/", StringComparison.Ordinal) is > -1 and var at
            ? path[..(at + Counter.Length + 1)]
            : null;

    // Each counter's sum over all origins, and what that one has written of it.
    private static Dictionary<string, (decimal Mine, decimal Sum)> ReadCounters(
        SortedDictionary<string, StateVersion> present,
        string origin
    )
    {
        var counters = new Dictionary<string, (decimal Mine, decimal Sum)>(StringComparer.Ordinal);
        foreach (var (place, version) in present)
        {
            if (CounterOf(place) is not { } path)
                continue;
            var part = Number(version);
            var (mine, sum) = counters.GetValueOrDefault(path);
            counters[path] = (place == $"{path}/{Escape(origin)}" ? part : mine, Add(sum, part));
        }
        return counters;
    }

    // A peer with a defect may have written anything; a document that cannot be read would stop every reader.
    private static decimal Number(StateVersion version) =>
        decimal.TryParse(version.Value.Span, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : 0;

    private static JsonNode? Parse(StateVersion version)
    {
        try
        {
            return JsonNode.Parse(version.Value.Span, documentOptions: new JsonDocumentOptions { MaxDepth = MaxDepth });
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // At the end of what a number can be it stays there: the same on every replica, since the order of the places is.
    private static decimal Add(decimal one, decimal other)
    {
        try
        {
            return one + other;
        }
        catch (OverflowException)
        {
            return one > 0 ? decimal.MaxValue : decimal.MinValue;
        }
    }

    private static IEnumerable<string> Parents(string path)
    {
        for (var slash = path.LastIndexOf('/'); slash >= 0; slash = slash == 0 ? -1 : path.LastIndexOf('/', slash - 1))
            yield return path[..slash];
    }

    private static void Place(JsonObject root, string path, StateVersion version)
    {
        var names = path[1..].Split('/').Select(Unescape).ToArray();
        var at = root;
        for (var i = 0; i < names.Length - 1; i++)
        {
            if (names[i] == Set)
            {
                if (at[Set] is not JsonArray elements)
                    at[Set] = elements = [];
                elements.Add(Parse(version));
                return;
            }
            if (names[i] == Counter)
            {
                at[Counter] = Add(
                    at[Counter] is JsonValue held && held.TryGetValue<decimal>(out var sum) ? sum : 0,
                    Number(version)
                );
                return;
            }
            if (at[names[i]] is not JsonObject next)
                at[names[i]] = next = [];
            at = next;
        }
        at[names[^1]] = Parse(version);
    }

    private static string Text(JsonNode? node) => node is null ? "null" : Canonical(node)!.ToJsonString();

    // Two spellings of one object are one element of a set.
    private static JsonNode? Canonical(JsonNode? node) =>
        node switch
        {
            JsonObject fields => new JsonObject(
                fields
                    .OrderBy(field => field.Key, StringComparer.Ordinal)
                    .Select(field => KeyValuePair.Create(field.Key, Canonical(field.Value)))
            ),
            JsonArray items => new JsonArray([.. items.Select(Canonical)]),
            _ => node?.DeepClone(),
        };

    private static string Escape(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private static string Unescape(string name) =>
        name.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
}
