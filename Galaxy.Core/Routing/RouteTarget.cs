namespace Galaxy.Core.Routing;

/// <summary>Whether a target may be given work.</summary>
public enum TargetStatus
{
    Healthy,

    /// <summary>Chosen only where no target is healthy.</summary>
    Degraded,
    Unhealthy,
    Unknown,
}

/// <summary>Something that a target can do.</summary>
/// <param name="Name">For instance <c>llm.chat</c>.</param>
public sealed record RouteCapability(string Name)
{
    public string Version { get; init; } = "1";

    /// <summary>1 to 10.</summary>
    public int Priority { get; init; } = 5;
    public string? Description { get; init; }

    /// <summary>A JSON schema of the parameters; null: not told.</summary>
    public string? Parameters { get; init; }

    /// <summary>Where it is served, under the target's address.</summary>
    public string Path { get; init; } = "/invoke/" + Uri.EscapeDataString(Name);

    /// <summary><c>POST</c> sends the parameters as the body, <c>GET</c> as the query.</summary>
    public string Method { get; init; } = "POST";

    /// <summary>Doing it twice is as good as doing it once.</summary>
    public bool IsIdempotent { get; init; }
}

/// <summary>Something that requests can be routed to: a coordinator, a service or a device.</summary>
/// <param name="IsDevice">It is reached through tasks, not by an address.</param>
/// <param name="Type">Of a device its type, of a service its kind.</param>
/// <param name="Layer"><c>kernel</c>, <c>gateway</c>, <c>tools</c> or <c>physical</c>.</param>
/// <param name="Url">Empty for devices.</param>
/// <param name="Status">As it says of itself, or as the cluster's failure detector does.</param>
/// <param name="Load">0 to 1, as it says of itself.</param>
public sealed record RouteTarget(
    string Id,
    bool IsDevice,
    string Type,
    string Layer,
    string Url,
    TargetStatus Status,
    double Load
)
{
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>A path such as <c>home/attic</c>; empty: not told.</summary>
    public string Location { get; init; } = "";

    /// <summary>How many requests at once count as a full load.</summary>
    public int Slots { get; init; } = DefaultSlots;
    public IReadOnlyList<RouteCapability> Capabilities { get; init; } = [];

    public const int DefaultSlots = 16;

    /// <summary>As in the original: from what runs the cluster to what it runs on.</summary>
    public static IReadOnlyList<string> Layers { get; } = ["kernel", "gateway", "tools", "physical"];
}
