namespace Galaxy.Coordinator.Storage;

/// <summary>The store cannot be reached, so whether the write happened is unknown.</summary>
internal sealed class StoreUnavailableException(Exception inner) : Exception("The store does not answer.", inner);
