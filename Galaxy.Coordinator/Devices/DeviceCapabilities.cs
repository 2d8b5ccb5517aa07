using System.Text.Json;
using Galaxy.Contracts.Api;

namespace Galaxy.Coordinator.Devices;

/// <summary>Reads what devices say of themselves; what cannot be read is left out.</summary>
internal static class DeviceCapabilities
{
    private const int Most = 100;
    private const int MostSchemaLength = 16 * 1024;

    /// <summary>Names, or objects with a name; at most 100.</summary>
    public static IReadOnlyList<DeviceCapability> Read(JsonElement list) =>
        [
            .. list.EnumerateArray()
                .Select(ReadOne)
                .OfType<DeviceCapability>()
                .DistinctBy(capability => capability.Name)
                .Take(Most),
        ];

    private static DeviceCapability? ReadOne(JsonElement item)
    {
        var name =
            item.ValueKind == JsonValueKind.Object ? Text(item, "name")
            : item.ValueKind == JsonValueKind.String ? item.GetString()
            : null;
        if (name is not { Length: > 0 and <= 64 })
            return null;
        if (item.ValueKind != JsonValueKind.Object)
            return new DeviceCapability(name);
        var priority =
            item.TryGetProperty("priority", out var number)
            && number.ValueKind == JsonValueKind.Number
            && number.TryGetInt32(out var given)
                ? Math.Clamp(given, 1, 10)
                : 5;
        var schema =
            item.TryGetProperty("parameters", out var parameters)
            && parameters.ValueKind == JsonValueKind.Object
            && parameters.GetRawText().Length <= MostSchemaLength
                ? parameters.Clone()
                : (JsonElement?)null;
        return new DeviceCapability(
            name,
            Text(item, "version") is { Length: <= 64 } version ? version : "1",
            priority,
            Text(item, "description") is { Length: <= 1024 } description ? description : null,
            schema
        );
    }

    /// <summary>Short texts; at most 100.</summary>
    public static IReadOnlyList<string> ReadTags(JsonElement list) =>
        [
            .. list.EnumerateArray()
                .Where(item => item.ValueKind == JsonValueKind.String)
                .Select(item => item.GetString()!)
                .Where(tag => tag.Length is > 0 and <= 128)
                .Distinct()
                .Take(Most),
        ];

    private static string? Text(JsonElement map, string name) =>
        map.TryGetProperty(name, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Number => value.GetRawText(),
                _ => null,
            }
            : null;
}
