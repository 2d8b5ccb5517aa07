using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Storage;

/// <summary>
/// Exclusive data in one store, or in each of three or five. With several, a write counts when a majority has done it,
/// in the same order everywhere: each store knows its position, and one that missed a write refuses the next and is
/// brought up to date by <see cref="StoreRepair"/>. A new leader begins from the store that is furthest, which has
/// everything that was ever acknowledged, since every majority shares a store with the majority that let it lead.
/// Thread-safe.
/// </summary>
internal sealed partial class FencedStores(RedisStores stores, NodeOptions node, ILogger<FencedStores> log)
    : IDisposable
{
    private readonly StoreKeys _keys = new(node.Cluster);
    private readonly SemaphoreSlim _order = new(1, 1);
    private readonly HashSet<int> _current = [];
    private Task _outstanding = Task.CompletedTask;
    private StorePosition _position;
    private long _term;

    /// <summary>Where to read: a store that has everything, as far as this node knows.</summary>
    public IDatabase Reader
    {
        get
        {
            lock (_current)
            {
                var best = _current.Where(i => stores.All[i].IsConnected).DefaultIfEmpty(-1).Min();
                return (
                    best >= 0
                        ? stores.All[best]
                        : stores.All.FirstOrDefault(store => store.IsConnected) ?? stores.All[0]
                ).GetDatabase();
            }
        }
    }

    /// <summary>Stores that miss something; the leader brings them up to date.</summary>
    public IReadOnlyList<int> Behind
    {
        get
        {
            lock (_current)
                return _term == 0 || stores.All.Count == 1
                    ? []
                    : [.. Enumerable.Range(0, stores.All.Count).Where(i => !_current.Contains(i))];
        }
    }

    /// <summary>Begins a term: finds the store that is furthest and brings a majority to where it is.</summary>
    /// <exception cref="StoreUnavailableException">A majority cannot be reached.</exception>
    public async Task BeginAsync(long term)
    {
        if (stores.All.Count == 1)
            return;
        await _order.WaitAsync();
        try
        {
            await _outstanding;
            var positions = await Task.WhenAll(Enumerable.Range(0, stores.All.Count).Select(PositionAsync));
            var known = positions.Where(position => position is not null).Select(position => position!.Value).ToList();
            if (known.Count < LeaseQuorum.Majority(stores.All.Count))
                throw new StoreUnavailableException(new TimeoutException("too few stores told their position"));
            _position = known.Max();
            lock (_current)
            {
                _term = term;
                _current.Clear();
                _current.UnionWith(Enumerable.Range(0, positions.Length).Where(i => positions[i] == _position));
            }
        }
        finally
        {
            _order.Release();
        }
        foreach (var behind in Behind)
        {
            if (_current.Count >= LeaseQuorum.Majority(stores.All.Count))
                break;
            await RepairAsync(behind);
        }
    }

    /// <summary>Ends the term: another node leads.</summary>
    public void End()
    {
        lock (_current)
        {
            _term = 0;
            _current.Clear();
        }
    }

    private async Task<StorePosition?> PositionAsync(int store)
    {
        try
        {
            return StorePosition.Parse(await stores.All[store].GetDatabase().StringGetAsync(_keys["position"]));
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            return null;
        }
    }

    /// <summary>Whether the store, or a majority of them, answers at this moment.</summary>
    public async Task<bool> AnswersAsync()
    {
        var positions = await Task.WhenAll(Enumerable.Range(0, stores.All.Count).Select(PositionAsync));
        return positions.Count(position => position is not null) >= LeaseQuorum.Majority(stores.All.Count);
    }

    /// <exception cref="StoreUnavailableException">Too few stores answered: whether it was written is
    /// unknown.</exception>
    public async Task<WriteAnswer> WriteAsync(long token, IReadOnlyList<FencedCommand> commands)
    {
        if (stores.All.Count == 1)
            return await WriteToTheOnlyOneAsync(token, commands);
        List<Task<(int Store, StoreAnswer? Answer)>> calls;
        await _order.WaitAsync();
        try
        {
            if (_term != token)
                throw new NotLeaderException();
            var at = _position;
            _position = at.Next(token);
            lock (_current)
                // Begun in the same order on each connection, so each store sees the same sequence.
                calls =
                [
                    .. _current.Select(store =>
                        WriteToAsync(store, token, at.ToString(), _position.ToString(), commands)
                    ),
                ];
            _outstanding = Task.WhenAll(_outstanding, Task.WhenAll(calls));
        }
        finally
        {
            _order.Release();
        }
        return await CountAsync(calls);
    }

    private async Task<WriteAnswer> CountAsync(List<Task<(int Store, StoreAnswer? Answer)>> calls)
    {
        int done = 0,
            stale = 0;
        await foreach (var call in Task.WhenEach(calls))
        {
            var (_, answer) = await call;
            stale += answer == StoreAnswer.Stale ? 1 : 0;
            done += answer == StoreAnswer.Done ? 1 : 0;
            if (done >= LeaseQuorum.Majority(stores.All.Count))
                return WriteAnswer.Done;
        }
        return stale > 0
            ? WriteAnswer.Stale
            : throw new StoreUnavailableException(new TimeoutException("too few stores took the write"));
    }

    private async Task<(int Store, StoreAnswer? Answer)> WriteToAsync(
        int store,
        long token,
        string at,
        string next,
        IReadOnlyList<FencedCommand> commands
    )
    {
        StoreAnswer? answer = null;
        try
        {
            answer = await FencedScript.RunAsync(stores.All[store].GetDatabase(), _keys, token, at, next, commands);
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            LogBehind(store, failure.Message.Split(',')[0]);
        }
        if (answer != StoreAnswer.Done)
        {
            lock (_current)
                _current.Remove(store);
        }
        return (store, answer);
    }

    private async Task<WriteAnswer> WriteToTheOnlyOneAsync(long token, IReadOnlyList<FencedCommand> commands)
    {
        try
        {
            return await FencedScript.RunAsync(stores.All[0].GetDatabase(), _keys, token, "", "", commands) switch
            {
                StoreAnswer.Done => WriteAnswer.Done,
                StoreAnswer.Unborn => WriteAnswer.Unborn,
                _ => WriteAnswer.Stale,
            };
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            throw new StoreUnavailableException(failure);
        }
    }

    /// <summary>Copies everything to a store that is behind. Writes wait meanwhile.</summary>
    public async Task RepairAsync(int behind)
    {
        await _order.WaitAsync();
        try
        {
            await _outstanding;
            _outstanding = Task.CompletedTask;
            int source;
            lock (_current)
                source = _term == 0 ? -1 : _current.Where(i => stores.All[i].IsConnected).DefaultIfEmpty(-1).Min();
            if (source < 0 || !stores.All[behind].IsConnected)
                return;
            var copied = await StoreCopy.CopyAsync(stores.All[source], stores.All[behind], _keys, _term, _position);
            if (copied is not { } entries)
                return;
            lock (_current)
                _current.Add(behind);
            LogRepaired(behind, entries);
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            LogBehind(behind, failure.Message.Split(',')[0]);
        }
        finally
        {
            _order.Release();
        }
    }

    public void Dispose() => _order.Dispose();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Store {Store} is behind: {Reason}")]
    private partial void LogBehind(int store, string reason);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Store {Store} has everything again: {Entries} entries copied"
    )]
    private partial void LogRepaired(int store, int entries);
}
