namespace Galaxy.Coordinator.Storage;

/// <summary>This node does not lead, so it may not write.</summary>
internal sealed class NotLeaderException() : Exception("This node does not lead.");
