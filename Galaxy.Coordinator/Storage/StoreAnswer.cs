namespace Galaxy.Coordinator.Storage;

/// <summary>What one store said to a fenced write.</summary>
internal enum StoreAnswer
{
    Done,

    /// <summary>A higher token has been accepted.</summary>
    Stale,

    /// <summary>The store was emptied.</summary>
    Unborn,

    /// <summary>The store missed an earlier write.</summary>
    Gap,
}
