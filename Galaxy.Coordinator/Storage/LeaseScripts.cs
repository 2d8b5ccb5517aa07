namespace Galaxy.Coordinator.Storage;

/// <summary>
/// The lease as Lua scripts, each of them atomic, in what Redis 7 and Garnet both run. What they do is specified by
/// <see cref="Core.Election.LeaseRegister"/>, and a test holds them to it. Every key that a script touches is declared,
/// as Garnet's transactions need. Answers are arrays whose first element is 1 (done) or 0 (refused).
/// </summary>
internal static class LeaseScripts
{
    // A store that restarted skips tokens that it may have issued and lost. Being one of several it grants nothing for
    // the length of a lease; being the only one, for a second, until the leap is on its disk. KEYS 2 token, 3 accepted,
    // 5 born, 6 silent.
    private const string Wake = """
        local function wake(ttl, min, stores)
          local info = redis.pcall('INFO', 'server')
          local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or 'unknown'
          local born = redis.call('GET', KEYS[5])
          if born == run then return end
          local highest = tonumber(min)
          local issued = tonumber(redis.call('GET', KEYS[2]) or '0')
          local accepted = tonumber(redis.call('GET', KEYS[3]) or '0')
          if issued > highest then highest = issued end
          if accepted > highest then highest = accepted end
          redis.call('SET', KEYS[5], run)
          local leap = 1000
          if born then leap = 100 end
          if highest > 0 then redis.call('SET', KEYS[2], string.format('%.0f', highest + leap)) end
          if not born and highest > 0 then
            local fence = highest
            if tonumber(stores) == 1 then fence = highest + leap end
            redis.call('SET', KEYS[3], string.format('%.0f', fence))
          end
          if tonumber(stores) == 1 and tonumber(ttl) > 1000 then ttl = '1000' end
          if tonumber(stores) > 1 or highest > 0 then redis.call('SET', KEYS[6], '1', 'PX', ttl) end
        end

        """;

    /// <summary>
    /// KEYS lease, token, accepted, released, born, silent. ARGV ttl ms, min token, number of stores. Answers holder,
    /// boot, token, url, traceparent, acquired; then successor, from, reason, traceparent of a release; then the
    /// highest token, and how many ms the lease has left.
    /// </summary>
    public const string Read =
        Wake
        + """
            wake(ARGV[1], ARGV[2], ARGV[3])
            local l = redis.call('HMGET', KEYS[1], 'holder', 'boot', 'token', 'url', 'traceparent', 'acquired')
            local r = redis.call('HMGET', KEYS[4], 'successor', 'from', 'reason', 'traceparent')
            local issued = redis.call('GET', KEYS[2]) or '0'
            local accepted = redis.call('GET', KEYS[3]) or '0'
            if tonumber(accepted) > tonumber(issued) then issued = accepted end
            return {l[1] or '', l[2] or '', l[3] or '', l[4] or '', l[5] or '', l[6] or '', r[1] or '', r[2] or '', r[3] or '', r[4] or '', issued,
                    tostring(redis.call('PTTL', KEYS[1]))}
            """;

    /// <summary>
    /// KEYS lease, token, accepted, released, born, silent. ARGV holder, boot, url, traceparent, ttl ms, min token,
    /// wall ms, channel, number of stores, the token proposed (several stores only), expected boot, expected token
    /// (both empty: the lease must be free; else a lease that is still theirs is preempted). Answers the token, or the
    /// highest one known. Raising <c>accepted</c> here shuts the old leader out before the new one's first write.
    /// </summary>
    public const string Acquire =
        Wake
        + """
            wake(ARGV[5], ARGV[6], ARGV[9])
            local issued = tonumber(redis.call('GET', KEYS[2]) or '0')
            local accepted = tonumber(redis.call('GET', KEYS[3]) or '0')
            local highest = issued
            if accepted > highest then highest = accepted end
            local refused = {0, string.format('%.0f', highest)}
            local held = redis.call('HMGET', KEYS[1], 'boot', 'token')
            if held[1] and not (ARGV[11] ~= '' and held[1] == ARGV[11] and held[2] == ARGV[12]) then return refused end
            if redis.call('EXISTS', KEYS[6]) == 1 then return refused end
            if not held[1] then
              local successor = redis.call('HGET', KEYS[4], 'successor')
              if successor and successor ~= '' and successor ~= ARGV[1] then return refused end
            end
            local token
            if tonumber(ARGV[9]) > 1 then
              if tonumber(ARGV[10]) <= highest then return refused end
              token = ARGV[10]
            else
              if tonumber(ARGV[6]) > highest then highest = tonumber(ARGV[6]) end
              token = string.format('%.0f', highest + 1)
            end
            redis.call('SET', KEYS[2], token)
            redis.call('SET', KEYS[3], token)
            redis.call('DEL', KEYS[1])
            redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'boot', ARGV[2], 'token', token, 'url', ARGV[3], 'traceparent', ARGV[4], 'acquired', ARGV[7])
            redis.call('PEXPIRE', KEYS[1], ARGV[5])
            redis.call('DEL', KEYS[4])
            redis.call('PUBLISH', ARGV[8], 'acquired ' .. token)
            return {1, token}
            """;

    /// <summary>
    /// KEYS as for <see cref="Acquire"/>. ARGV holder, boot, url, traceparent, ttl ms, token, acquired, number of
    /// stores.
    /// </summary>
    public const string Renew =
        Wake
        + """
            wake(ARGV[5], ARGV[6], ARGV[8])
            local held = redis.call('HMGET', KEYS[1], 'boot', 'token')
            if held[1] then
              if held[1] == ARGV[2] and held[2] == ARGV[6] then
                redis.call('PEXPIRE', KEYS[1], ARGV[5])
                return {1}
              end
              return {0}
            end
            local accepted = tonumber(redis.call('GET', KEYS[3]) or '0')
            if tonumber(ARGV[8]) == 1 or redis.call('EXISTS', KEYS[4]) == 1 or tonumber(ARGV[6]) < accepted then return {0} end
            if tonumber(redis.call('GET', KEYS[2]) or '0') < tonumber(ARGV[6]) then redis.call('SET', KEYS[2], ARGV[6]) end
            redis.call('SET', KEYS[3], ARGV[6])
            redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'boot', ARGV[2], 'token', ARGV[6], 'url', ARGV[3], 'traceparent', ARGV[4], 'acquired', ARGV[7])
            redis.call('PEXPIRE', KEYS[1], ARGV[5])
            return {1}
            """;

    /// <summary>
    /// KEYS lease, released. ARGV boot, token, holder, successor, reserve ms (0: withdraw without a word), reason,
    /// traceparent, channel.
    /// </summary>
    public const string Release = """
        if redis.call('HGET', KEYS[1], 'boot') == ARGV[1] and redis.call('HGET', KEYS[1], 'token') == ARGV[2] then
          redis.call('DEL', KEYS[1])
          if ARGV[5] ~= '0' then
            redis.call('HSET', KEYS[2], 'successor', ARGV[4], 'from', ARGV[3], 'reason', ARGV[6], 'traceparent', ARGV[7])
            redis.call('PEXPIRE', KEYS[2], ARGV[5])
            redis.call('PUBLISH', ARGV[8], 'released ' .. ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. ARGV[6] .. ' ' .. ARGV[7] .. ' ' .. ARGV[4])
          end
          return {1}
        end
        return {0}
        """;

    /// <summary>
    /// KEYS accepted, born, position, then the keys written. ARGV token, the position that the store must be at (empty:
    /// any), the position after it (empty: none is kept), then per command: argument count, command, index of its key,
    /// arguments. All commands run, or none. A refusal says <c>stale</c> (a higher token has been accepted),
    /// <c>unborn</c> (the store was emptied) or <c>gap</c> (it missed an earlier write).
    /// </summary>
    public const string Fenced = """
        if redis.call('EXISTS', KEYS[2]) == 0 then return {0, 'unborn'} end
        local accepted = tonumber(redis.call('GET', KEYS[1]) or '0')
        local token = tonumber(ARGV[1])
        if token < accepted then return {0, 'stale'} end
        if ARGV[2] ~= '' and (redis.call('GET', KEYS[3]) or '') ~= ARGV[2] then return {0, 'gap'} end
        if token > accepted then redis.call('SET', KEYS[1], ARGV[1]) end
        if ARGV[3] ~= '' then redis.call('SET', KEYS[3], ARGV[3]) end
        local spread = table.unpack or unpack
        local i = 4
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
