namespace Galaxy.Core.State;

/// <summary>
/// What an entry's value is while it holds writes that did not know of each other. A policy only decides how siblings
/// are read: they are kept until a later write supersedes them, so that replicas agree in whatever order the writes
/// arrive.
/// </summary>
public enum ConflictPolicy
{
    /// <summary>The latest by hybrid logical clock, then by the origin's name.</summary>
    LastWriteWins = 0,

    /// <summary>The earliest by the same order.</summary>
    FirstWriteWins = 1,

    /// <summary>JSON field by field; <c>$set</c> and <c>$counter</c> as <see cref="MergeDocument"/> says.</summary>
    Merge = 2,

    /// <summary>The one with the highest priority, then the latest.</summary>
    HighestPriority = 3,

    /// <summary>A person decides; until then the latest is served, marked as contested.</summary>
    Manual = 4,
}

/// <summary>The policies' names in APIs, settings and on the wire.</summary>
public static class ConflictPolicies
{
    private static readonly string[] All =
    [
        "last_write_wins",
        "first_write_wins",
        "merge",
        "highest_priority",
        "manual",
    ];

    public static IReadOnlyList<string> Names => All;

    public static string Name(this ConflictPolicy policy) => All[(int)policy];

    /// <summary>Null for a name that is none.</summary>
    public static ConflictPolicy? Parse(string name) =>
        Array.IndexOf(All, name) is >= 0 and var index ? (ConflictPolicy)index : null;
}
