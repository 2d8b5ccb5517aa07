using StackExchange.Redis;

namespace Galaxy.Coordinator.Storage;

/// <summary>One command of a fenced write.</summary>
internal sealed record FencedCommand(string Command, string Key, params RedisValue[] Arguments);
