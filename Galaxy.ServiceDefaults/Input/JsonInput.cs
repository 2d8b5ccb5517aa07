using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Galaxy.ServiceDefaults.Input;

/// <summary>Why a document is refused.</summary>
/// <param name="Path">For instance <c>subtasks[0].params.name</c>; empty: the document as a whole.</param>
/// <param name="Reason">A sentence without its subject, for instance <c>appears twice in its object</c>.</param>
public readonly record struct InputError(string Path, string Reason)
{
    /// <inheritdoc/>
    public override string ToString() => Path.Length == 0 ? $"The body {Reason}." : $"'{Path}' {Reason}.";
}

/// <summary>
/// Checks JSON before anything is made of it: it is well formed (RFC 8259), valid UTF-8, no deeper than
/// <see cref="InputLimits.MaxDepth"/>, names are unique within their object, strings have no half of a surrogate pair,
/// numbers are finite as IEEE 754 doubles. Everything later may rely on it (I-JSON, RFC 7493, asks for the same).
/// Thread-safe.
/// </summary>
public static class JsonInput
{
    private const int PathLength = 200;
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    /// <summary>Null when nothing is wrong. Reads each byte once; allocates the names only.</summary>
    public static InputError? Validate(ReadOnlySpan<byte> utf8, int maxDepth = InputLimits.MaxDepth)
    {
        if (utf8.StartsWith(ByteOrderMark))
            utf8 = utf8[ByteOrderMark.Length..];
        if (!Utf8.IsValid(utf8))
            return new InputError("", "is not valid UTF-8");
        // One more than allowed, so that the reader lets us say where the depth is exceeded.
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = maxDepth + 1 });
        var containers = new Stack<Container>();
        try
        {
            while (reader.Read())
            {
                if (Check(ref reader, containers, maxDepth) is { } reason)
                    return new InputError(Path(containers), reason);
            }
        }
        catch (JsonException malformed)
        {
            return new InputError(
                Path(containers),
                $"is not JSON at line {malformed.LineNumber + 1}, byte {malformed.BytePositionInLine + 1}"
            );
        }
        return null;
    }

    private static string? Check(ref Utf8JsonReader reader, Stack<Container> containers, int maxDepth)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                Next(containers);
                containers.Push(new Container(reader.TokenType == JsonTokenType.StartObject));
                return containers.Count > maxDepth ? $"is nested deeper than {maxDepth} levels" : null;
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                containers.Pop();
                return null;
            case JsonTokenType.PropertyName:
                return Text(ref reader, out var name)
                    ? containers.Peek().Enter(name)
                        ? null
                        : "appears twice in its object"
                    : "has a name with half of a surrogate pair";
            case JsonTokenType.String:
                Next(containers);
                // Only an escape can be half of a pair: the bytes themselves are valid.
                return !reader.ValueIsEscaped || Text(ref reader, out _) ? null : "has half of a surrogate pair";
            case JsonTokenType.Number:
                Next(containers);
                return reader.TryGetDouble(out var number) && double.IsFinite(number)
                    ? null
                    : "is a number out of range";
            default:
                Next(containers);
                return null;
        }
    }

    private static bool Text(ref Utf8JsonReader reader, out string text)
    {
        try
        {
            text = reader.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            text = "";
            return false;
        }
    }

    private static void Next(Stack<Container> containers)
    {
        if (containers.TryPeek(out var container))
            container.Index++;
    }

    private static string Path(Stack<Container> containers)
    {
        var path = new StringBuilder();
        foreach (var container in containers.Reverse())
        {
            if (container.Names is null)
                path.Append(CultureInfo.InvariantCulture, $"[{Math.Max(0, container.Index)}]");
            else if (container.Name is { } name)
                path.Append(path.Length > 0 ? "." : "").Append(name);
            if (path.Length > PathLength)
                return path.ToString(0, PathLength) + "…";
        }
        return path.ToString();
    }

    private sealed class Container(bool isObject)
    {
        /// <summary>Null for an array.</summary>
        public HashSet<string>? Names { get; } = isObject ? new HashSet<string>(StringComparer.Ordinal) : null;

        public string? Name { get; private set; }

        public int Index { get; set; } = -1;

        public bool Enter(string name)
        {
            Name = name;
            return Names!.Add(name);
        }
    }
}
