using System.Text;
using System.Text.Json;
using Galaxy.Core.Routing;

namespace Galaxy.Router.Catalog;

/// <summary>A capability of the cluster as something that an agent can call.</summary>
/// <param name="Name">Letters, digits, <c>_</c> and <c>-</c>, at most 64: what every model takes.</param>
/// <param name="Targets">The targets that offer it, in any state.</param>
internal sealed record Tool(
    string Name,
    string Capability,
    string Description,
    JsonElement InputSchema,
    IReadOnlyList<string> Targets,
    bool IsReadOnly,
    bool IsIdempotent
)
{
    public bool Same(Tool other) =>
        (Name, Capability, Description, IsReadOnly, IsIdempotent)
            == (other.Name, other.Capability, other.Description, other.IsReadOnly, other.IsIdempotent)
        && Targets.SequenceEqual(other.Targets)
        && InputSchema.GetRawText() == other.InputSchema.GetRawText();
}

/// <summary>The cluster's capabilities as tools.</summary>
internal static class ToolCatalog
{
    private const int LongestName = 64;
    private const int LongestDescription = 1024;

    /// <summary>By name. Offline devices offer nothing.</summary>
    public static IReadOnlyList<Tool> Read(RoutingTable table)
    {
        var tools = new SortedDictionary<string, Tool>(StringComparer.Ordinal);
        foreach (var capability in table.Capabilities.Order(StringComparer.Ordinal))
        {
            var offers = table
                .Offers(capability)
                .Where(offer => offer.Target.Status is TargetStatus.Healthy or TargetStatus.Degraded)
                .ToList();
            if (offers.Count == 0)
                continue;
            var name = Unique(Sanitize(capability), tools);
            tools[name] = Make(name, capability, offers.ConvertAll(offer => offer.Target));
        }
        return [.. tools.Values];
    }

    private static Tool Make(string name, string capability, List<RouteTarget> targets)
    {
        var said = targets.ConvertAll(target => target.Capabilities.First(one => one.Name == capability));
        // Where offers differ, the one with the longest parameter schema counts; of equals the first by id.
        var fullest = said.MaxBy(offer => offer.Parameters?.Length ?? 0)!;
        var description = said.Select(offer => offer.Description).FirstOrDefault(text => text is { Length: > 0 })
            ?? $"{capability}, as offered by {targets[0].Id}.";
        var ids = targets.ConvertAll(target => target.Id);
        return new Tool(
            name,
            capability,
            description.Length > LongestDescription ? description[..LongestDescription] : description,
            ToolSchema.ForTool(fullest.Parameters, ids),
            ids,
            said.TrueForAll(offer => offer.Method == "GET"),
            said.TrueForAll(offer => offer.IsIdempotent)
        );
    }

    private static string Sanitize(string capability)
    {
        var name = new StringBuilder(capability.Length);
        foreach (var letter in capability)
            name.Append(char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' ? letter : '_');
        return name.Length > LongestName ? name.ToString(0, LongestName) : name.ToString();
    }

    private static string Unique(string name, SortedDictionary<string, Tool> taken)
    {
        if (!taken.ContainsKey(name))
            return name;
        for (var number = 2; ; number++)
        {
            var suffix = $"_{number}";
            var other =
                (name.Length + suffix.Length > LongestName ? name[..(LongestName - suffix.Length)] : name) + suffix;
            if (!taken.ContainsKey(other))
                return other;
        }
    }
}
