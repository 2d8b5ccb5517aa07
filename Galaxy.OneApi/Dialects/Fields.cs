using System.Text.Json;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects;

/// <summary>
/// Reads the fields of a JSON object once each, reports by path what is wrong, and knows which fields the reader has
/// not asked for. A field that is <c>null</c> counts as absent.
/// </summary>
/// <param name="path">Of the object within the request; empty: it is the request.</param>
internal sealed class Fields(JsonObject json, string path)
{
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    public string PathOf(string name) => path.Length == 0 ? name : $"{path}.{name}";

    /// <summary>Fields that are present and that the reader has not asked for, by path.</summary>
    public IEnumerable<string> Rest =>
        json.Where(pair => pair.Value is not null && !_asked.Contains(pair.Key)).Select(pair => PathOf(pair.Key));

    public bool Has(string name) => json[name] is not null;

    public JsonNode? Any(string name)
    {
        _asked.Add(name);
        return json[name];
    }

    public string? Text(string name) =>
        Any(name) switch
        {
            null => null,
            JsonValue value when value.TryGetValue<string>(out var text) => text,
            _ => throw Wrong(name, "a string"),
        };

    public string RequiredText(string name) => Text(name) ?? throw Missing(name);

    public bool? Flag(string name) =>
        Any(name) switch
        {
            null => null,
            JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
            _ => throw Wrong(name, "true or false"),
        };

    public long? Integer(string name, long least = long.MinValue, long most = long.MaxValue)
    {
        switch (Any(name))
        {
            case null:
                return null;
            case JsonValue value
                when value.GetValueKind() == JsonValueKind.Number
                    && value.TryGetValue<double>(out var number)
                    && Math.Floor(number) == number
                    && number >= least
                    && number <= most:
                return (long)number;
            default:
                throw Wrong(
                    name,
                    (least, most) switch
                    {
                        (long.MinValue, long.MaxValue) => "an integer",
                        (_, long.MaxValue) => $"an integer of at least {least}",
                        _ => $"an integer from {least} to {most}",
                    }
                );
        }
    }

    public int? Int(string name, int least = 0, int most = int.MaxValue) => (int?)Integer(name, least, most);

    public double? Number(string name, double least, double most) =>
        Any(name) switch
        {
            null => null,
            JsonValue value
                when value.GetValueKind() == JsonValueKind.Number
                    && value.TryGetValue<double>(out var number)
                    && number >= least
                    && number <= most => number,
            _ => throw Wrong(name, $"a number from {least} to {most}"),
        };

    public JsonArray? List(string name) =>
        Any(name) switch
        {
            null => null,
            JsonArray list => list,
            _ => throw Wrong(name, "a list"),
        };

    public JsonObject? Json(string name) =>
        Any(name) switch
        {
            null => null,
            JsonObject inner => inner,
            _ => throw Wrong(name, "an object"),
        };

    public Fields? Object(string name) => Json(name) is { } inner ? new Fields(inner, PathOf(name)) : null;

    /// <summary>The objects of a list, each with its path.</summary>
    public IEnumerable<Fields> Objects(string name)
    {
        if (List(name) is not { } list)
            yield break;
        for (var i = 0; i < list.Count; i++)
            yield return list[i] is JsonObject item
                ? new Fields(item, $"{PathOf(name)}[{i}]")
                : throw Wrong($"{name}[{i}]", "an object");
    }

    /// <summary>A string or a list of strings.</summary>
    public IReadOnlyList<string> Texts(string name) =>
        Any(name) switch
        {
            null => [],
            JsonValue value when value.TryGetValue<string>(out var text) => [text],
            JsonArray list
                when list.All(item => item is JsonValue value && value.GetValueKind() == JsonValueKind.String) =>
            [
                .. list.Select(item => item!.GetValue<string>()),
            ],
            _ => throw Wrong(name, "a string or a list of strings"),
        };

    /// <summary>Takes fields out of account that are allowed and mean nothing here; those that are there.</summary>
    public IEnumerable<string> Hints(params ReadOnlySpan<string> names)
    {
        List<string> there = [];
        foreach (var name in names)
        {
            if (Any(name) is not null)
                there.Add(PathOf(name));
        }
        return there;
    }

    public BadFieldException Missing(string name) => new(PathOf(name), $"'{PathOf(name)}' is required.");

    public BadFieldException Wrong(string name, string expected) =>
        new(PathOf(name), $"'{PathOf(name)}' must be {expected}.");
}
