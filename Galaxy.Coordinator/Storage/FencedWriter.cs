using Galaxy.Core.Election;

namespace Galaxy.Coordinator.Storage;

/// <summary>The only way by which a leader writes to the store.</summary>
internal sealed class FencedWriter(ILeadership leadership, FencedStores stores)
{
    /// <exception cref="NotLeaderException">This node does not lead, or the store has accepted a higher
    /// token.</exception>
    /// <exception cref="StoreUnavailableException">The store failed or did not answer in time.</exception>
    public Task<long> WriteAsync(params FencedCommand[] commands) => WriteAsync(_ => commands);

    /// <summary>The same for commands that carry the token that they are written under.</summary>
    public async Task<long> WriteAsync(Func<long, FencedCommand[]> commands)
    {
        var token = leadership.CurrentToken ?? throw new NotLeaderException();
        await WriteAsync(token, commands(token));
        return token;
    }

    /// <summary>The same under that token only.</summary>
    /// <exception cref="NotLeaderException">This node does not lead under it.</exception>
    /// <exception cref="StoreUnavailableException">The store failed or did not answer in time.</exception>
    public async Task WriteAsync(long token, IReadOnlyList<FencedCommand> commands)
    {
        if (leadership.CurrentToken != token)
            throw new NotLeaderException();
        var answer = await stores.WriteAsync(token, commands);
        switch (answer)
        {
            case WriteAnswer.Done:
                return;
            case WriteAnswer.Unborn:
                throw new StoreUnavailableException(
                    new InvalidOperationException(
                        "The store was emptied; it takes writes again when the lease is renewed."
                    )
                );
            default:
                leadership.ReportStaleToken(token);
                throw new NotLeaderException();
        }
    }
}
