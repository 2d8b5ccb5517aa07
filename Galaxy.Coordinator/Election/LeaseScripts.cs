namespace Galaxy.Coordinator.Election;

/// <summary>
/// The lease as Lua scripts, each of them atomic, in what Redis 7 and Garnet both run. Every key that a script touches is
/// declared, as Garnet's transactions need. Answers are arrays whose first element is 1 (done) or 0 (refused).
/// </summary>
internal static class LeaseScripts
{
    /// <summary>KEYS lease, released. Answers holder, boot, token, url, traceparent, acquired, then successor, from, reason, traceparent of a release.</summary>
    public const string Read =
        """
        local l = redis.call('HMGET', KEYS[1], 'holder', 'boot', 'token', 'url', 'traceparent', 'acquired')
        local r = redis.call('HMGET', KEYS[2], 'successor', 'from', 'reason', 'traceparent')
        return {l[1] or '', l[2] or '', l[3] or '', l[4] or '', l[5] or '', l[6] or '', r[1] or '', r[2] or '', r[3] or '', r[4] or ''}
        """;

    /// <summary>
    /// KEYS lease, token, accepted, released. ARGV holder, boot, url, traceparent, ttl ms, min token, wall ms, channel.
    /// The token is above every one ever issued, accepted or seen. Raising <c>accepted</c> here shuts the old leader out
    /// before the new one's first write.
    /// </summary>
    public const string Acquire =
        """
        if redis.call('EXISTS', KEYS[1]) == 1 then return {0, 'held'} end
        local successor = redis.call('HGET', KEYS[4], 'successor')
        if successor and successor ~= '' and successor ~= ARGV[1] then return {0, 'reserved'} end
        local issued = tonumber(redis.call('GET', KEYS[2]) or '0')
        local accepted = tonumber(redis.call('GET', KEYS[3]) or '0')
        local highest = tonumber(ARGV[6])
        if issued > highest then highest = issued end
        if accepted > highest then highest = accepted end
        local token = string.format('%.0f', highest + 1)
        redis.call('SET', KEYS[2], token)
        redis.call('SET', KEYS[3], token)
        redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'boot', ARGV[2], 'token', token, 'url', ARGV[3], 'traceparent', ARGV[4], 'acquired', ARGV[7])
        redis.call('PEXPIRE', KEYS[1], ARGV[5])
        redis.call('DEL', KEYS[4])
        redis.call('PUBLISH', ARGV[8], 'acquired ' .. token)
        return {1, token}
        """;

    /// <summary>KEYS lease. ARGV boot, token, ttl ms.</summary>
    public const string Renew =
        """
        if redis.call('HGET', KEYS[1], 'boot') == ARGV[1] and redis.call('HGET', KEYS[1], 'token') == ARGV[2] then
          redis.call('PEXPIRE', KEYS[1], ARGV[3])
          return {1}
        end
        return {0}
        """;

    /// <summary>KEYS lease, released. ARGV boot, token, holder, successor, reserve ms, reason, traceparent, channel.</summary>
    public const string Release =
        """
        if redis.call('HGET', KEYS[1], 'boot') == ARGV[1] and redis.call('HGET', KEYS[1], 'token') == ARGV[2] then
          redis.call('DEL', KEYS[1])
          redis.call('HSET', KEYS[2], 'successor', ARGV[4], 'from', ARGV[3], 'reason', ARGV[6], 'traceparent', ARGV[7])
          redis.call('PEXPIRE', KEYS[2], ARGV[5])
          redis.call('PUBLISH', ARGV[8], 'released ' .. ARGV[2])
          return {1}
        end
        return {0}
        """;

    /// <summary>
    /// KEYS accepted, then the keys written. ARGV token, then per command: argument count, command, index of its key,
    /// arguments. All commands run, or none: a token below the highest accepted one is refused.
    /// </summary>
    public const string Fenced =
        """
        local accepted = tonumber(redis.call('GET', KEYS[1]) or '0')
        local token = tonumber(ARGV[1])
        if token < accepted then return {0, string.format('%.0f', accepted)} end
        if token > accepted then redis.call('SET', KEYS[1], ARGV[1]) end
        local spread = table.unpack or unpack
        local i = 2
        while i <= #ARGV do
          local count = tonumber(ARGV[i])
          local arguments = {}
          for j = 1, count do arguments[j] = ARGV[i + 2 + j] end
          redis.call(ARGV[i + 1], KEYS[tonumber(ARGV[i + 2])], spread(arguments))
          i = i + 3 + count
        end
        return {1}
        """;
}
