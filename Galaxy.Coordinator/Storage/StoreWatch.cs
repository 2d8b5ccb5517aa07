using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Store;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Storage;

/// <summary>
/// Knows whether a majority of the stores answers. While it does not, this node waits for it, however long that takes:
/// the log says which stores are missing and why, at once and then ever more rarely, and the node's health is bad until
/// the first majority, degraded after a later loss. What needs no store works meanwhile, and the election goes on by
/// itself when the majority is there. Thread-safe.
/// </summary>
internal sealed partial class StoreWatch(RedisStores stores, TimeProvider time, ILogger<StoreWatch> log)
    : PeriodicService(Look, time, log),
        IHealthCheck
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan FirstQuiet = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxQuiet = TimeSpan.FromMinutes(5);

    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? _missing = "the stores have not been asked yet";
    private long? _saidAt;
    private TimeSpan _quiet = FirstQuiet;
    private bool[]? _answers;

    /// <summary>Completes with the first majority.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Which stores are missing and why; null while a majority answers.</summary>
    public string? Missing => _missing;

    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) =>
        Task.FromResult(
            _missing is not { } missing ? HealthCheckResult.Healthy("a majority of the stores answers")
            : Ready.IsCompleted ? HealthCheckResult.Degraded(missing)
            : HealthCheckResult.Unhealthy(missing)
        );

    protected override async Task TurnAsync(CancellationToken stopping)
    {
        // While a majority is connected, no store is pinged: the connections themselves report a break.
        var answers = _missing is null
            ? [.. stores.All.Select(store => store.IsConnected)]
            : await Task.WhenAll(stores.All.Select((store, i) => AnswersAsync(store, stores.Urgent[i])));
        if (answers.Count(answer => answer) >= LeaseQuorum.Majority(answers.Length))
            Found(answers);
        else
            await MissAsync(answers);
    }

    private void Found(bool[] answers)
    {
        if (_saidAt is not null)
            LogFound(answers.Count(answer => answer), answers.Length);
        (_missing, _saidAt, _quiet, _answers) = (null, null, FirstQuiet, null);
        _ready.TrySetResult();
    }

    private async Task MissAsync(bool[] answers)
    {
        var isDue = _saidAt is not { } at || Time.GetElapsedTime(at) >= _quiet;
        if (isDue || _answers?.SequenceEqual(answers) != true)
            _missing = await DescribeAsync(answers);
        _answers = answers;
        if (!isDue)
            return;
        if (_saidAt is not null)
            _quiet = _quiet * 2 < MaxQuiet ? _quiet * 2 : MaxQuiet;
        _saidAt = Time.GetTimestamp();
        LogMissing(_missing!);
    }

    private async Task<string> DescribeAsync(bool[] answers)
    {
        var silent = await Task.WhenAll(
            Enumerable.Range(0, answers.Length).Where(i => !answers[i]).Select(DescribeAsync)
        );
        if (answers.Length == 1)
            return $"The store does not answer: {silent[0]}";
        var (needed, present) = (LeaseQuorum.Majority(answers.Length), answers.Count(answer => answer));
        return $"Of {answers.Length} stores {needed} must answer, and {present} do; these do not: "
            + $"{string.Join("; ", silent)}";
    }

    private async Task<string> DescribeAsync(int store) =>
        store >= stores.Options.Count
            ? $"store {store}"
            : RedisStore.AddressOf(stores.Options[store])
                + $" ({await RedisStore.DiagnoseAsync(stores.Options[store]) ?? "it has just begun to answer"})";

    private static async Task<bool> AnswersAsync(IConnectionMultiplexer store, IConnectionMultiplexer urgent)
    {
        try
        {
            await Task.WhenAll(store.GetDatabase().PingAsync(), urgent.GetDatabase().PingAsync());
            return true;
        }
        catch (Exception notYet) when (notYet is RedisException or TimeoutException)
        {
            return false;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Missing}. This node waits and goes on by itself; start them, or correct ConnectionStrings__redis "
            + "or GALAXY_STORES"
    )]
    private partial void LogMissing(string missing);

    [LoggerMessage(Level = LogLevel.Information, Message = "A majority of the stores answers: {Answering} of {Count}")]
    private partial void LogFound(int answering, int count);
}
