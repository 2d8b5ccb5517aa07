using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Storage;

/// <summary>
/// Asks all stores at once, over the connections for what is urgent, and waits for what <see cref="LeaseQuorum"/> says
/// is enough.
/// </summary>
internal static class StoreRound
{
    /// <summary>The verdict and the answers that had come by then, by the store's place in the list.</summary>
    /// <exception cref="StoreUnavailableException">No majority can be reached.</exception>
    public static async Task<(Verdict Verdict, IReadOnlyDictionary<int, T> Answers)> AskAsync<T>(
        RedisStores stores,
        string name,
        Func<IDatabase, Task<T>> ask,
        Func<T, bool> isYes
    )
    {
        var calls = stores.Urgent.Select((store, i) => CallAsync(i, store)).ToList();
        var answers = new Dictionary<int, T>();
        var counted = new List<bool?>();
        Exception? last = null;
        await foreach (var call in Task.WhenEach(calls))
        {
            var (store, answer, failure) = await call;
            last = failure ?? last;
            if (failure is null)
                answers[store] = answer!;
            counted.Add(failure is null ? isYes(answer!) : null);
            var verdict = LeaseQuorum.Count(counted, stores.Urgent.Count);
            if (verdict == Verdict.Unreachable)
                break;
            if (verdict != Verdict.Open)
                return (verdict, answers);
        }
        throw new StoreUnavailableException(last ?? new TimeoutException());

        async Task<(int Store, T? Answer, Exception? Failure)> CallAsync(int i, IConnectionMultiplexer store)
        {
            try
            {
                return (i, await RedisStore.TracedAsync(name, () => ask(store.GetDatabase())), null);
            }
            catch (Exception failure) when (failure is RedisException or TimeoutException)
            {
                return (i, default, failure);
            }
        }
    }
}
