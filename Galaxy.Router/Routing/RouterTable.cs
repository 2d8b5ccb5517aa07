using System.Collections.Concurrent;
using Galaxy.Core.Routing;
using Galaxy.Router.Catalog;
using Galaxy.Router.Rules;
using Galaxy.Router.Telemetry;
using Galaxy.ServiceDefaults.Cluster;

namespace Galaxy.Router.Routing;

/// <summary>The table in force, with what answers say of its targets.</summary>
internal sealed class TableSnapshot(RoutingTable table)
{
    private readonly ConcurrentDictionary<string, byte[]> _json = new(StringComparer.Ordinal);

    private readonly Lazy<IReadOnlyList<Tool>> _tools = new(() => ToolCatalog.Read(table));

    public RoutingTable Table => table;

    /// <summary>What can be done, as tools; worked out once for each table.</summary>
    public IReadOnlyList<Tool> Tools => _tools.Value;

    /// <summary>A target as <c>/route</c> answers it; written once for each table.</summary>
    public byte[] Json(RouteTarget target) =>
        _json.TryGetValue(target.Id, out var json) ? json : _json.GetOrAdd(target.Id, TargetView.ToJson(target));
}

/// <summary>
/// Builds the routing table from the cluster, the rules and what this router has measured: anew whenever one of them
/// changes. Thread-safe.
/// </summary>
internal sealed partial class RouterTable : BackgroundService
{
    private static readonly TimeSpan Forget = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestRest = TimeSpan.FromMilliseconds(10);

    private readonly ClusterWatcher _watcher;
    private readonly RouterRules _rules;
    private readonly TimeProvider _time;
    private readonly ILogger<RouterTable> _log;
    private readonly long _started;
    private readonly ConcurrentDictionary<string, (TargetState State, long SeenAt)> _states = new(
        StringComparer.Ordinal
    );
    private readonly Lock _gate = new();
    private TaskCompletionSource _wanted = New();
    private TaskCompletionSource _made = New();
    private volatile TableSnapshot _current = new(RoutingTable.Empty);

    public RouterTable(ClusterWatcher watcher, RouterRules rules, TimeProvider time, ILogger<RouterTable> log)
    {
        (_watcher, _rules, _time, _log, _started) = (watcher, rules, time, log, time.GetTimestamp());
        rules.Changed += Refresh;
    }

    public TableSnapshot Current => _current;

    /// <summary>Monotonic.</summary>
    public TimeSpan Now => _time.GetElapsedTime(_started);

    /// <summary>Completes when the next table is made. Take it before reading <see cref="Current"/>.</summary>
    public Task NextTable
    {
        get
        {
            lock (_gate)
                return _made.Task;
        }
    }

    public RouteChoice Choose(in RouteQuery query) => _current.Table.Choose(query, Random.Shared, Now);

    /// <summary>What is known of a target; null: there is none of that name.</summary>
    public TargetState? State(string id) => _states.TryGetValue(id, out var known) ? known.State : null;

    /// <summary>The table must be rebuilt: a target was ejected, or is healthy again.</summary>
    public void Refresh()
    {
        lock (_gate)
            _wanted.TrySetResult();
    }

    /// <summary>
    /// Tells how a request ended. A target is not ejected where half of those that offer the same are already.
    /// </summary>
    public void Tell(string capability, TargetState state, bool failed)
    {
        var mayOpen = true;
        var now = Now;
        if (failed)
        {
            var (ejected, all) = (0, 0);
            foreach (var (_, other) in _current.Table.Offers(capability))
            {
                all++;
                ejected += other.Breaker.StateAt(now) == BreakerState.Closed ? 0 : 1;
            }
            mayOpen = ejected + 1 <= Math.Max(1, all / 2);
        }
        if (!state.Breaker.Tell(failed, now, mayOpen))
            return;
        if (failed)
        {
            RouterMetrics.Ejections.Add(1);
            LogEjected(state.Id, Math.Round((state.Breaker.Until - now).TotalSeconds));
        }
        else
        {
            LogBack(state.Id);
        }
        Refresh();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var views = _watcher.Changes(stoppingToken).GetAsyncEnumerator(stoppingToken);
        var nextView = views.MoveNextAsync().AsTask();
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                Task wanted;
                lock (_gate)
                {
                    if (_wanted.Task.IsCompleted)
                        _wanted = New();
                    wanted = _wanted.Task;
                }
                Make(_watcher.Current);
                var rest = _current.Table.NextChange - Now is { } until && until < LongestRest ? until : LongestRest;
                using var timer = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                await Task.WhenAny(
                    nextView,
                    wanted,
                    Task.Delay(rest > ShortestRest ? rest : ShortestRest, _time, timer.Token)
                );
                await timer.CancelAsync();
                if (nextView.IsCompleted)
                {
                    if (!await nextView)
                        return;
                    nextView = views.MoveNextAsync().AsTask();
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping: the last table stays.
        }
    }

    private void Make(ClusterView view)
    {
        var now = _time.GetTimestamp();
        var table = RoutingTable.Build(TargetReader.Read(view), id => Remember(id, now), _rules.Current, Now);
        foreach (var (id, known) in _states)
        {
            if (_time.GetElapsedTime(known.SeenAt, now) > Forget)
                _states.TryRemove(id, out _);
        }
        _current = new TableSnapshot(table);
        TaskCompletionSource made;
        lock (_gate)
            (made, _made) = (_made, New());
        made.SetResult();
    }

    private TargetState Remember(string id, long now)
    {
        var state = _states.TryGetValue(id, out var known) ? known.State : new TargetState(id, BreakerOptions.Standard);
        _states[id] = (state, now);
        return state;
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Target} failed too often: it gets nothing for {Seconds} s")]
    private partial void LogEjected(string target, double seconds);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Target} is well again: it gets its share little by little"
    )]
    private partial void LogBack(string target);
}
