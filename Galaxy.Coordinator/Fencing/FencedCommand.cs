using Galaxy.Coordinator.Election;
using Galaxy.Core.Election;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Fencing;

/// <summary>One command of a fenced write.</summary>
internal sealed record FencedCommand(string Command, string Key, params RedisValue[] Arguments);
