using System.Collections;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Galaxy.ServiceDefaults.Input;

/// <summary>
/// What the serializer says of a body that is not what the contract asks for, in words of JSON instead of .NET's.
/// </summary>
internal static partial class JsonFaults
{
    /// <summary>One sentence that names the field; null: it is something else.</summary>
    public static string? Describe(JsonException fault)
    {
        var field = fault.Path is { Length: > 2 } path ? path[2..] : "";
        if (Unmapped().Match(fault.Message) is { Success: true } unknown)
            return DescribeUnknown(unknown.Groups["name"].Value, unknown.Groups["type"].Value);
        return Unconverted().Match(fault.Message) is { Success: true } wrong
            ? $"{(field.Length > 0 ? $"'{field}'" : "The body")} must be {Word(wrong.Groups["type"].Value)}."
            : null;
    }

    private static string DescribeUnknown(string name, string typeName)
    {
        var known = FindType(typeName) is { } type
            ? GalaxyJson
                .Options.GetTypeInfo(type)
                .Properties.Select(property => property.Name)
                .Order(StringComparer.Ordinal)
            : null;
        return known is null
            ? $"'{name}' is not known here."
            : $"'{name}' is not known here. Known: {string.Join(", ", known)}.";
    }

    private static string Word(string typeName)
    {
        var plain = typeName.StartsWith("System.Nullable`1[", StringComparison.Ordinal)
            ? typeName["System.Nullable`1[".Length..].TrimEnd(']')
            : typeName;
        return plain switch
        {
            "System.Int32" or "System.Int64" or "System.UInt32" or "System.UInt16" or "System.Int16" or "System.Byte" =>
                "a whole number",
            "System.Double" or "System.Single" or "System.Decimal" => "a number",
            "System.Boolean" => "true or false",
            "System.String" => "a text",
            "System.DateTimeOffset" or "System.DateTime" => "a time such as \"2026-11-29T08:00:00Z\"",
            _ when plain.Contains("Dictionary`", StringComparison.Ordinal) => "an object",
            _ when plain.Contains("List`", StringComparison.Ordinal)
                    || plain.EndsWith("[]", StringComparison.Ordinal)
                    || plain.Contains("Enumerable`", StringComparison.Ordinal) => "a list",
            _ => FindType(plain) is { } type
                ? type.IsEnum
                    ? "one of "
                        + string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.SnakeCaseLower.ConvertName))
                    : typeof(IEnumerable).IsAssignableFrom(type)
                        ? "a list"
                        : "an object"
                : "of another type",
        };
    }

    private static Type? FindType(string name) =>
        AppDomain
            .CurrentDomain.GetAssemblies()
            .Where(assembly => assembly.GetName().Name?.StartsWith("Galaxy.", StringComparison.Ordinal) == true)
            .Select(assembly => assembly.GetType(name))
            .FirstOrDefault(type => type is not null);

    [GeneratedRegex(
        "^The JSON property '(?<name>.*)' could not be mapped to any \\.NET member contained in type '(?<type>[^']+)'",
        RegexOptions.Singleline
    )]
    private static partial Regex Unmapped();

    [GeneratedRegex("^The JSON value could not be converted to (?<type>\\S+)\\. Path:", RegexOptions.Singleline)]
    private static partial Regex Unconverted();
}
