using System.Threading.Channels;
using Galaxy.Coordinator.Failover;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Telemetry;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Election;

/// <summary>
/// Runs <see cref="Core.Election.Election"/> against the real store and clock: one loop owns the state, store calls answer
/// into its queue.
/// </summary>
internal sealed partial class Elector(
    LeaseStore store, Identity identity, NodeOptions node, FailoverTracker failovers, IConnectionMultiplexer redis, TimeProvider time, ILogger<Elector> log)
    : BackgroundService
{
    private readonly Channel<ElectionInput> _inputs = Channel.CreateUnbounded<ElectionInput>(new UnboundedChannelOptions { SingleReader = true });
    private readonly LeaseSettings _settings = LeaseSettings.Preset(node.LeasePreset)!;
    private readonly long _start = time.GetTimestamp();
    private readonly Random _random = new();
    private volatile ElectionState _state = new(node.NodeId, identity.Boot);
    private string _resignReason = "resigned";

    /// <summary>Raised on the election's loop when the known leader changes; handlers must be quick.</summary>
    public event Action<LeaseRecord?>? LeaderChanged;

    /// <summary>Raised when this node starts to lead.</summary>
    public event Action<LeaseRecord>? BecameLeader;

    /// <summary>Raised when this node stops leading.</summary>
    public event Action<string>? SteppedDown;

    public LeaseRecord? Leader => _state.Leader;

    public long MaxToken => _state.MaxToken;

    /// <summary>The token to write under, or null when this node does not lead at this very moment.</summary>
    public long? CurrentToken => _state is var state && state.LeadsAt(Now) ? state.Token : null;

    private TimeSpan Now => time.GetElapsedTime(_start);

    public void Post(ElectionInput input) => _inputs.Writer.TryWrite(input);

    /// <summary>Gives the lease up; returns when this node has stopped leading, or false after <paramref name="patience"/>.</summary>
    public async Task<bool> ResignAsync(string? successor, string reason, TimeSpan patience, CancellationToken cancellation)
    {
        if (CurrentToken is null)
            return true;
        var down = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void OnDown(string _) => down.TrySetResult();
        SteppedDown += OnDown;
        try
        {
            _resignReason = reason;
            Post(new ElectionInput.Resign(successor));
            await down.Task.WaitAsync(patience, time, cancellation);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        finally
        {
            SteppedDown -= OnDown;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var subscriber = redis.GetSubscriber();
        // Events only make the election faster: without them the next read tells.
        await subscriber.SubscribeAsync(store.Events, (_, _) => Post(new ElectionInput.LookNow())).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await TurnAsync(stoppingToken);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                LogLoopFailed(failure);
            }
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await ResignAsync(null, "resigned", TimeSpan.FromSeconds(1), cancellationToken);
        await base.StopAsync(cancellationToken);
    }

    private async Task TurnAsync(CancellationToken stopping)
    {
        var wait = _state.NextTick - Now;
        if (wait > TimeSpan.Zero && !_inputs.Reader.TryPeek(out _))
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            timeout.CancelAfter(wait);
            await _inputs.Reader.WaitToReadAsync(timeout.Token).AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
            stopping.ThrowIfCancellationRequested();
        }
        var input = _inputs.Reader.TryRead(out var next) ? next : new ElectionInput.Tick();
        var (state, effects) = Core.Election.Election.Step(_state, input, Now, _settings, _random);
        _state = state;
        foreach (var effect in effects)
            Perform(effect);
    }

    private void Perform(ElectionEffect effect)
    {
        switch (effect)
        {
            case ElectionEffect.ReadLease:
                Call(ReadAsync);
                break;
            case ElectionEffect.Acquire acquire:
                Call(sentAt => AcquireAsync(acquire.MinToken, sentAt));
                break;
            case ElectionEffect.Renew renew:
                Call(async sentAt => await store.RenewAsync(identity.Boot, renew.Token, _settings.Ttl)
                    ? new ElectionInput.Renewed(renew.Token, sentAt)
                    : new ElectionInput.RenewRefused(renew.Token));
                break;
            case ElectionEffect.Release release:
                Call(async _ =>
                {
                    using var activity = GalaxyTrace.Source.StartActivity("resign");
                    activity?.SetTag("galaxy.reason", _resignReason);
                    await store.ReleaseAsync(identity.Boot, release.Token, release.Successor, _resignReason, TraceParent.Of(activity));
                    return new ElectionInput.Released();
                });
                break;
            case ElectionEffect.BecameLeader became:
                LogBecameLeader(became.Lease.Token);
                GalaxyTrace.LeaseAcquired.Add(1);
                BecameLeader?.Invoke(became.Lease);
                break;
            case ElectionEffect.SteppedDown down:
                LogSteppedDown(down.Token, down.Reason);
                SteppedDown?.Invoke(down.Reason);
                break;
            case ElectionEffect.LeaderChanged changed:
                if (changed.Leader is { } leader && leader.Boot != identity.Boot)
                    LogFollowing(leader.Holder, leader.Token);
                failovers.LeaderChanged(changed.Leader);
                LeaderChanged?.Invoke(changed.Leader);
                break;
        }
    }

    // Not awaited by the loop; the answer, or the failure, always comes back as an input.
    private void Call(Func<TimeSpan, Task<ElectionInput>> call)
    {
        var sentAt = Now;
        _ = AnswerAsync();

        async Task AnswerAsync()
        {
            ElectionInput answer;
            try
            {
                answer = await call(sentAt);
            }
            catch (Exception failure)
            {
                LogStoreFailed(failure.Message.Split(',')[0]);
                answer = new ElectionInput.StoreFailed();
            }
            Post(answer);
        }
    }

    private async Task<ElectionInput> ReadAsync(TimeSpan sentAt)
    {
        var reading = await store.ReadAsync();
        if (reading.Lease is null)
            failovers.LeaseGone(reading.Release);
        return new ElectionInput.LeaseRead(reading.Lease, reading.Release?.Successor);
    }

    private async Task<ElectionInput> AcquireAsync(long minToken, TimeSpan sentAt)
    {
        using var attempt = failovers.Stand();
        var lease = await store.AcquireAsync(
            identity.Boot, identity.Url, attempt.TraceParent, minToken, _settings.Ttl, time.GetUtcNow().ToUnixTimeMilliseconds());
        if (lease is null)
            return new ElectionInput.AcquireRefused((await store.ReadAsync()).Lease);
        attempt.Won(lease);
        return new ElectionInput.Acquired(lease, sentAt);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Leading under token {Token}")]
    private partial void LogBecameLeader(long token);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Stopped leading under token {Token}: {Reason}")]
    private partial void LogSteppedDown(long token, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Following {Leader} under token {Token}")]
    private partial void LogFollowing(string leader, long token);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store did not answer: {Reason}")]
    private partial void LogStoreFailed(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The election loop goes on after an error")]
    private partial void LogLoopFailed(Exception failure);
}
