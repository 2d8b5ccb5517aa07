using Galaxy.LocalHosting.Description;

namespace Galaxy.LocalHosting.Supervision;

/// <summary>A service of a system: its kind, its name, and what only this one is told.</summary>
public sealed record ServiceInstance(ServiceKind Kind, string Name)
{
    public IReadOnlyList<(string Name, string? Value)> Environment { get; init; } = [];

    /// <summary>The arguments, once the ports are known.</summary>
    public Func<IReadOnlyList<Processes.BoundEndpoint>, IReadOnlyList<string>> Arguments { get; init; } = _ => [];

    /// <summary>
    /// A program that takes the place of the kind's own, for instance <c>redis-server</c>; null: the kind's.
    /// </summary>
    public string? ForeignProgram { get; init; }
}
