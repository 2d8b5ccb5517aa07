using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;

namespace Galaxy.LocalHosting.Supervision;

/// <summary>All that is needed to start one process and to tell whether it is healthy.</summary>
public sealed record ProcessDescription
{
    public required string Name { get; init; }

    public required ServiceKind Kind { get; init; }

    public required string Program { get; init; }

    public required string WorkingDirectory { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>A later variable wins over an earlier one of the same name; names do not depend on case.</summary>
    public IReadOnlyList<(string Name, string? Value)> Environment { get; init; } = [];

    public IReadOnlyList<BoundEndpoint> Endpoints { get; init; } = [];

    /// <summary>The processes that are healthy before this one is started for the first time.</summary>
    public IReadOnlyList<string> WaitsFor { get; init; } = [];

    /// <summary>
    /// Whether the program ends by itself when its supervisor does. Programs of others are tied by <c>setpriv</c>.
    /// </summary>
    public bool FollowsSupervisor { get; init; } = true;
}
