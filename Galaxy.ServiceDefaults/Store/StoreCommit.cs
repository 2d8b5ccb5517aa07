using System.Runtime.CompilerServices;
using StackExchange.Redis;

namespace Galaxy.ServiceDefaults.Store;

/// <summary>
/// Waits until a store has on its disk what was written to it. The embedded store is asked to by <c>COMMITAOF</c>, once
/// for all who wait at that moment; with any other store that is a matter of its own configuration
/// (<c>appendfsync</c>), and nothing is asked. Thread-safe.
/// </summary>
public static class StoreCommit
{
    private const string Command = "COMMITAOF";

    private static readonly ConditionalWeakTable<IConnectionMultiplexer, Group> Groups = [];

    /// <summary>
    /// Call when the write was sent, on the connection that it went by; the answer is of use only when the write was
    /// done before it.
    /// </summary>
    /// <exception cref="RedisException">The store is away: whether the write lasts is unknown.</exception>
    /// <exception cref="TimeoutException">It did not answer in time: the same.</exception>
    public static Task AfterWriteAsync(IDatabase database) =>
        Groups.GetValue(database.Multiplexer, store => new Group(store)).CommitAsync();

    private sealed class Group
    {
        private readonly IConnectionMultiplexer _store;
        private readonly Lock _gate = new();
        private Task _running = Task.CompletedTask;
        private Task? _next;
        private volatile bool _unknown;

        public Group(IConnectionMultiplexer store)
        {
            _store = store;
            // Perhaps another store now, at the same address.
            store.ConnectionRestored += (_, _) => _unknown = false;
        }

        public Task CommitAsync()
        {
            if (_unknown)
                return Task.CompletedTask;
            lock (_gate)
            {
                // One that is under way may have begun before our write; the one after it has not.
                if (_next is not null)
                    return _next;
                return _running.IsCompleted ? _running = RunAsync() : _next = AfterAsync(_running);
            }
        }

        private async Task AfterAsync(Task before)
        {
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
            lock (_gate)
                (_running, _next) = (_next!, null);
            await RunAsync();
        }

        private async Task RunAsync()
        {
            try
            {
                await _store.GetDatabase().ExecuteAsync(Command);
            }
            catch (RedisServerException refused)
                when (refused.Message.Contains("unknown command", StringComparison.OrdinalIgnoreCase))
            {
                _unknown = true;
            }
        }
    }
}
