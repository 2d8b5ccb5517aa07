using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Galaxy.Contracts.Api;
using Galaxy.Core.Clocks;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.State;

/// <summary>Entries as the API shows them.</summary>
internal static class StateViews
{
    public static StateEntryView ToView(this StateEntry entry)
    {
        var (json, base64) = Value(entry.Value);
        var latest = entry.Latest;
        return new StateEntryView(
            entry.Namespace,
            entry.Key,
            json,
            base64,
            Etag(entry),
            entry.Policy.Name(),
            latest.Priority,
            At(entry.Time),
            entry.View.Winner?.Dot.Origin,
            entry.IsContested
        );
    }

    public static StateConflict ToConflict(this StateEntry entry) =>
        new(
            entry.Namespace,
            entry.Key,
            Etag(entry),
            [
                .. entry.Versions.Select(version =>
                {
                    var (json, base64) = Value(version.Value);
                    return new StateSibling(
                        Name(version.Dot),
                        version.Dot.Origin,
                        At(version.Time),
                        version.Deleted,
                        json,
                        base64
                    );
                }),
            ]
        );

    /// <summary>Names a set of writes: the same on every node that holds exactly these.</summary>
    public static string Etag(StateEntry entry)
    {
        var writes = new StringBuilder();
        foreach (var version in entry.Versions)
            writes.Append(version.Path).Append('\n').Append(Name(version.Dot)).Append('\n');
        return $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(writes.ToString())).AsSpan(0, 8))}\"";
    }

    public static string Name(Dot dot) => string.Create(CultureInfo.InvariantCulture, $"{dot.Origin}:{dot.Counter}");

    private static DateTimeOffset At(Hlc time) => UnixTime.At(time.PhysicalMs);

    private static (JsonNode? Json, string? Base64) Value(ReadOnlyMemory<byte> value)
    {
        if (value.IsEmpty)
            return (null, null);
        // What cannot be shown as JSON is shown as it is.
        return JsonInput.Validate(value.Span) is null
            ? (JsonNode.Parse(value.Span), null)
            : (null, Convert.ToBase64String(value.Span));
    }
}
