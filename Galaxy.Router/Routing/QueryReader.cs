using Galaxy.Core.Routing;

namespace Galaxy.Router.Routing;

/// <summary>Reads the query of <c>/route</c> and <c>/invoke</c>.</summary>
internal static class QueryReader
{
    private const int Longest = 256;

    /// <summary>The parameters that the router reads; the rest of a query belongs to the target.</summary>
    public static IReadOnlySet<string> Own { get; } =
        new HashSet<string>(StringComparer.OrdinalIgnoreCase)
        {
            "strategy",
            "labels",
            "exclude",
            "only",
            "key",
            "location",
            "model",
            "explain",
            "timeout",
            "idempotent",
            "hedge",
        };

    /// <summary>Names the caller for the rules.</summary>
    public const string CallerHeader = "X-Galaxy-Caller";

    /// <summary>Null when it can be read; otherwise what is wrong.</summary>
    public static string? Read(string capability, HttpRequest request, out RouteQuery query)
    {
        query = new RouteQuery(capability);
        if (capability.Length > 128)
            return "The capability may have at most 128 characters.";
        if (!request.QueryString.HasValue && !request.Headers.ContainsKey(CallerHeader))
            return null;
        var given = request.Query;
        foreach (var (name, value) in given)
        {
            if (!Own.Contains(name))
                continue;
            if (value.Count > 1)
                return $"'{name}' is given more than once.";
            if (value.ToString().Length > Longest * (name == "exclude" ? 16 : 1))
                return $"'{name}' is too long.";
        }
        var strategy = Text(given, "strategy") is { } asked ? RouteStrategies.Find(asked) : null;
        if (strategy is null && Text(given, "strategy") is { } wrong)
            return $"'strategy' is '{wrong}'; allowed are {RouteStrategies.Names}.";
        if (Text(given, "labels") is { } labels && Labels.Complaint(labels) is { } complaint)
            return $"'labels' is wrong: {complaint}.";
        var exclude = Text(given, "exclude")
            ?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (exclude?.Length > RouteQuery.MostExcluded)
            return $"'exclude' may name at most {RouteQuery.MostExcluded}.";
        if (request.Headers[CallerHeader].ToString().Length > Longest)
            return $"The header {CallerHeader} is too long.";
        query = query with
        {
            Strategy = strategy,
            Labels = Text(given, "labels"),
            Exclude = exclude,
            Only = Text(given, "only"),
            Key = Text(given, "key"),
            Location = Text(given, "location"),
            Model = Text(given, "model"),
            Caller = request.Headers[CallerHeader] is { Count: > 0 } caller ? caller.ToString() : null,
        };
        return null;
    }

    /// <summary>A switch: absent is null.</summary>
    public static string? ReadFlag(IQueryCollection given, string name, out bool? flag)
    {
        flag = Text(given, name)?.ToLowerInvariant() switch
        {
            null => null,
            "true" or "1" => true,
            "false" or "0" => false,
            _ => null,
        };
        return flag is null && Text(given, name) is { } wrong
            ? $"'{name}' is '{wrong}'; allowed are true and false."
            : null;
    }

    private static string? Text(IQueryCollection given, string name) =>
        given.TryGetValue(name, out var value) && value.ToString() is { Length: > 0 } text ? text : null;
}
