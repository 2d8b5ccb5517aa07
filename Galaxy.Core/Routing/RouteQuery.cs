namespace Galaxy.Core.Routing;

/// <summary>What is asked for.</summary>
/// <param name="Capability">What the target must offer.</param>
public readonly record struct RouteQuery(string Capability)
{
    /// <summary>Null: the rule's, or <c>least_loaded</c>.</summary>
    public IRouteStrategy? Strategy { get; init; }

    /// <summary>
    /// Labels that the target must have, for instance <c>gpu=true,room=attic</c>; null or empty: none.
    /// </summary>
    public string? Labels { get; init; }

    /// <summary>Where the caller is, for the strategy <c>location</c>.</summary>
    public string? Location { get; init; }

    /// <summary>Ids that are not wanted; at most <see cref="MostExcluded"/> count.</summary>
    public string[]? Exclude { get; init; }

    /// <summary>The only id that is wanted; null: any.</summary>
    public string? Only { get; init; }

    /// <summary>Requests with the same key go to the same target while it lives.</summary>
    public string? Key { get; init; }

    /// <summary>Matched by rules.</summary>
    public string? Model { get; init; }

    /// <summary>Matched by rules.</summary>
    public string? Caller { get; init; }

    /// <summary>The outcome will be told, so this request may try a target that was ejected.</summary>
    public bool WillTell { get; init; }

    public const int MostExcluded = 32;
}
