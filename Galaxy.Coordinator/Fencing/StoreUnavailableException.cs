using Galaxy.Coordinator.Election;
using Galaxy.Core.Election;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Fencing;

/// <summary>The store cannot be reached, so whether the write happened is unknown.</summary>
internal sealed class StoreUnavailableException(Exception inner) : Exception("The store does not answer.", inner);
