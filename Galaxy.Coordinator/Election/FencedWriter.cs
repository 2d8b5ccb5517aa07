using Galaxy.Core.Election;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Election;

/// <summary>This node does not lead, so it may not write.</summary>
internal sealed class NotLeaderException() : Exception("This node does not lead.");

/// <summary>The store cannot be reached, so whether the write happened is unknown.</summary>
internal sealed class StoreUnavailableException(Exception inner) : Exception("The store does not answer.", inner);

/// <summary>The only way by which a leader writes to the store.</summary>
internal sealed class FencedWriter(Elector elector, LeaseStore store)
{
    /// <exception cref="NotLeaderException">This node does not lead, or the store has accepted a higher token.</exception>
    /// <exception cref="StoreUnavailableException">The store failed or did not answer in time.</exception>
    public Task<long> WriteAsync(params FencedCommand[] commands) => WriteAsync(_ => commands);

    /// <summary>The same for commands that carry the token that they are written under.</summary>
    public async Task<long> WriteAsync(Func<long, FencedCommand[]> commands)
    {
        var token = elector.CurrentToken ?? throw new NotLeaderException();
        bool accepted;
        try
        {
            accepted = await store.WriteAsync(token, commands(token));
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            throw new StoreUnavailableException(failure);
        }
        if (accepted)
            return token;
        elector.Post(new ElectionInput.WriteWasStale(token));
        throw new NotLeaderException();
    }
}
