namespace Galaxy.Core.Routing;

/// <summary>
/// A line of the cluster's routing table: which requests it matches, and how they are routed. The first rule that
/// matches counts; what the rule does not set stays as it is.
/// </summary>
/// <param name="Name">The name that explanations use.</param>
public sealed record RouteRule(string Name)
{
    /// <summary>Patterns with <c>*</c>; null: any.</summary>
    public string? Capability { get; init; }
    public string? Model { get; init; }
    public string? Caller { get; init; }

    /// <summary>Labels that the caller asks for, all of which must be in its question; null: any.</summary>
    public string? Labels { get; init; }
    public IRouteStrategy? Strategy { get; init; }

    /// <summary>
    /// Groups of targets, by preference: the first group with a target that can take the request is used. Empty: all
    /// targets that offer the capability.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<TargetSelector>> Groups { get; init; } = [];

    public bool Matches(in RouteQuery query) =>
        (Capability is null || Pattern.Matches(Capability, query.Capability))
        && (Model is null || Pattern.Matches(Model, query.Model ?? ""))
        && (Caller is null || Pattern.Matches(Caller, query.Caller ?? ""))
        && (Labels is null || AsksFor(query.Labels));

    private bool AsksFor(string? labels)
    {
        foreach (var part in Labels.AsSpan().Split(','))
        {
            var wanted = Labels.AsSpan(part).Trim();
            var found = false;
            foreach (var other in labels.AsSpan().Split(','))
                found |= labels.AsSpan(other).Trim().SequenceEqual(wanted);
            if (!found)
                return false;
        }
        return true;
    }
}

/// <summary>
/// Some targets: <c>id</c>, a pattern of ids with <c>*</c>, <c>label:name=value</c>, <c>layer:tools</c>,
/// <c>type:android</c>, <c>kind:device</c> or <c>kind:service</c>.
/// </summary>
public sealed record TargetSelector(string Text)
{
    private static readonly string[] Words = ["label", "layer", "type", "kind"];

    public bool Selects(RouteTarget target)
    {
        var colon = Text.IndexOf(':', StringComparison.Ordinal);
        var value = Text[(colon + 1)..];
        return (colon < 0 ? "" : Text[..colon]) switch
        {
            "label" => Labels.Match(value, target.Labels),
            "layer" => target.Layer == value,
            "type" => Pattern.Matches(value, target.Type),
            "kind" => value == (target.IsDevice ? "device" : "service"),
            _ => Pattern.Matches(Text, target.Id),
        };
    }

    /// <summary>Null when it can be read; otherwise what is wrong.</summary>
    public static string? Complaint(string text) =>
        text switch
        {
            "" => "a target must not be empty",
            _ when text.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon
                    && Words.Contains(text[..colon])
                    && colon == text.Length - 1 => $"'{text}' says nothing after the colon",
            _ when text.StartsWith("kind:", StringComparison.Ordinal)
                    && text is not ("kind:device" or "kind:service") => $"'{text}' must be kind:device or kind:service",
            _ => null,
        };
}
