using Galaxy.Coordinator.Election;
using Galaxy.Core.Election;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Fencing;

/// <summary>This node does not lead, so it may not write.</summary>
internal sealed class NotLeaderException() : Exception("This node does not lead.");
