namespace Galaxy.Core.State;

/// <summary>What the replicated state may grow to.</summary>
public sealed record StateLimits
{
    /// <summary>The largest value that an entry may carry, in bytes.</summary>
    public int EntryBytes { get; init; } = 256 * 1024;

    /// <summary>
    /// The largest entry with all it keeps: places of a merged document with their paths, removed ones, and what wrote
    /// them. It has to pass in one message.
    /// </summary>
    public int StoredEntryBytes { get; init; } = 512 * 1024;

    /// <summary>
    /// What single namespaces may take of the whole, in bytes; those that are not named may take all of it.
    /// </summary>
    public IReadOnlyDictionary<string, long> NamespaceBytes { get; init; } =
        new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>All entries together, in bytes as <see cref="StateEntry.ApproximateSize"/> counts.</summary>
    public long TotalBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Beyond that, room for what must be written when others have filled it: audit, keys, failover, services.
    /// </summary>
    public long ReservedBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>The namespaces that may use the reserved room.</summary>
    public IReadOnlySet<string> Reserved { get; init; } = new HashSet<string>(StringComparer.Ordinal);
}

/// <summary>A write was refused; the message says which bound it met and what to do.</summary>
public sealed class StateLimitException(string message) : Exception(message);

/// <summary>What a write asks for.</summary>
/// <param name="Value">Null: delete.</param>
/// <param name="Policy">How siblings are read.</param>
/// <param name="Priority">For <see cref="ConflictPolicy.HighestPriority"/>.</param>
public readonly record struct StateWrite(
    ReadOnlyMemory<byte>? Value,
    ConflictPolicy Policy = ConflictPolicy.LastWriteWins,
    int Priority = 0
)
{
    /// <summary>
    /// From an array, of which null deletes. (A null array converts to an empty value, which is something else.)
    /// </summary>
    public static StateWrite Of(
        byte[]? value,
        ConflictPolicy policy = ConflictPolicy.LastWriteWins,
        int priority = 0
    ) => new(value is null ? default(ReadOnlyMemory<byte>?) : value, policy, priority);
}
