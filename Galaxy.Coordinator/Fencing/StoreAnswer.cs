using Galaxy.Coordinator.Election;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Fencing;

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
