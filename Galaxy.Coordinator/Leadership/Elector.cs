using System.Threading.Channels;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Storage;
using Galaxy.Core.Election;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Telemetry;

namespace Galaxy.Coordinator.Leadership;

/// <summary>
/// Runs <see cref="Core.Election.Election"/> against the real stores, peers and clock: one loop owns the state, calls
/// answer into its queue.
/// </summary>
internal sealed partial class Elector(
    LeaseStore store,
    LeaderProbe probe,
    TokenFile tokens,
    Identity identity,
    NodeOptions node,
    FailoverTracker failovers,
    TimeProvider time,
    ILogger<Elector> log
) : BackgroundService, ILeadership
{
    private readonly Channel<ElectionInput> _inputs = Channel.CreateUnbounded<ElectionInput>(
        new UnboundedChannelOptions { SingleReader = true }
    );
    private readonly LeaseSettings _settings = LeaseSettings.Preset(node.LeasePreset)!;
    private readonly long _start = time.GetTimestamp();
    private readonly Random _random = new();
    private volatile ElectionState _state = new(node.NodeId, identity.Boot) { MaxToken = tokens.Read() };
    private string _resignReason = "resigned";

    /// <summary>Raised on the election's loop when the known leader changes; handlers must be quick.</summary>
    public event Action<LeaseRecord?>? LeaderChanged;

    /// <summary>
    /// Raised when another's lease should have been renewed and was not: something may have happened to it.
    /// </summary>
    public event Action<LeaseRecord>? LeaseLate;

    /// <summary>Raised when this node starts to lead.</summary>
    public event Action<LeaseRecord>? BecameLeader;

    /// <summary>Raised when this node stops leading.</summary>
    public event Action<string>? SteppedDown;

    /// <summary>Null while there is none, or none whose process lives.</summary>
    public LeaseRecord? Leader => _state.LivingLeader;

    public long MaxToken => _state.MaxToken;

    /// <summary>The candidates, in order, as the election was last told.</summary>
    public IReadOnlyList<string> Order => _state.Order;

    /// <summary>The token to write under, or null when this node does not lead at this very moment.</summary>
    public long? CurrentToken => _state is var state && state.LeadsAt(Now) ? state.Token : null;

    /// <summary>While this node leads: how long it may go on without another renewal.</summary>
    public TimeSpan? LeaseLeft => _state is var state && state.LeadsAt(Now) ? state.LeadUntil - Now : null;

    public LeaseSettings Settings => _settings;

    private TimeSpan Now => time.GetElapsedTime(_start);

    public void ReportStaleToken(long token) => Post(new ElectionInput.WriteWasStale(token));

    public void Post(ElectionInput input) => _inputs.Writer.TryWrite(input);

    /// <summary>
    /// Gives the lease up; returns when this node has stopped leading, or false after <paramref name="patience"/>.
    /// </summary>
    public async Task<bool> ResignAsync(
        string? successor,
        string reason,
        TimeSpan patience,
        CancellationToken cancellation
    )
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
        // Events only make the election faster: without them the next read tells.
        await store.SubscribeAsync(Heard).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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

    private void Heard(LeaseEvent happened)
    {
        if (happened.Release is { } release)
        {
            failovers.LeaseOffered(release);
            Post(new ElectionInput.Offered(happened.Token, release.Successor));
        }
        else
        {
            Post(new ElectionInput.LookNow());
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
        if (state.MaxToken > _state.MaxToken)
            tokens.Write(state.MaxToken);
        _state = state;
        foreach (var effect in effects)
            Perform(effect);
    }

    private void Perform(ElectionEffect effect)
    {
        switch (effect)
        {
            case ElectionEffect.ReadLease:
                CallStore(ReadAsync);
                break;
            case ElectionEffect.Acquire acquire:
                CallStore(() => AcquireAsync(null, acquire.MinToken));
                break;
            case ElectionEffect.Seize seize:
                CallStore(() => AcquireAsync(seize.Expected, seize.MinToken));
                break;
            case ElectionEffect.Renew renew:
                CallStore(() => RenewAsync(renew.Lease));
                break;
            case ElectionEffect.Release release:
                CallStore(() => ReleaseAsync(release));
                break;
            case ElectionEffect.Redial redial:
                LogHungUp(redial.Leader.Holder);
                failovers.LeaderHungUp(redial.Leader);
                Answer(
                    () => probe.RedialAsync(redial.Leader),
                    outcome => new ElectionInput.Redialled(redial.Leader.Boot, outcome),
                    RedialOutcome.Silent
                );
                break;
            case ElectionEffect.AskWitnesses ask:
                Answer(
                    () => probe.AskWitnessesAsync(ask.Leader),
                    confirmed => new ElectionInput.Witnessed(ask.Leader.Boot, confirmed),
                    false
                );
                break;
            case ElectionEffect.BecameLeader became:
                LogBecameLeader(became.Lease.Token);
                GalaxyTrace.LeaseAcquired();
                BecameLeader?.Invoke(became.Lease);
                break;
            case ElectionEffect.SteppedDown down:
                LogSteppedDown(down.Token, down.Reason);
                SteppedDown?.Invoke(down.Reason);
                break;
            case ElectionEffect.LeaderChanged changed:
                if (changed.Leader is { } leader && leader.Boot != identity.Boot)
                    LogFollowing(leader.Holder, leader.Token);
                failovers.LeaderChanged(changed.Leader, _state.Proof);
                LeaderChanged?.Invoke(changed.Leader);
                break;
        }
    }

    private void CallStore(Func<Task<ElectionInput>> call) =>
        Answer(call, answer => answer, new ElectionInput.StoreFailed());

    // Not awaited by the loop; the answer, or the failure, always comes back as an input.
    private void Answer<T>(Func<Task<T>> call, Func<T, ElectionInput> input, T failed)
    {
        _ = AnswerAsync();

        async Task AnswerAsync()
        {
            T answer;
            try
            {
                answer = await call();
            }
            catch (Exception failure)
            {
                // A store that is away is asked several times a second; StoreWatch says so once.
                LogCallFailed(
                    failure is StoreUnavailableException ? LogLevel.Debug : LogLevel.Warning,
                    (failure.InnerException ?? failure).Message.Split(',')[0]
                );
                answer = failed;
            }
            Post(input(answer));
        }
    }

    private async Task<ElectionInput> ReadAsync()
    {
        var reading = await store.ReadAsync(_settings.Ttl, _state.MaxToken);
        if (reading.Lease is null)
            failovers.LeaseGone(reading.Release);
        else if (reading.Left < _settings.Ttl / 2 && reading.Lease.Boot != identity.Boot)
            LeaseLate?.Invoke(reading.Lease);
        return new ElectionInput.LeaseRead(reading.Lease, reading.Release?.Successor, reading.HighestToken);
    }

    private async Task<ElectionInput> AcquireAsync(LeaseRecord? expected, long minToken)
    {
        using var attempt = failovers.Stand(_state.Order);
        // Not counted from here: with several stores they are read first.
        var sentAt = Now;
        var wanted = new LeaseRecord(
            node.NodeId,
            identity.Boot,
            0,
            identity.Url,
            attempt.TraceParent,
            time.GetUtcNow().ToUnixTimeMilliseconds()
        );
        var (lease, holder, highest) = await store.AcquireAsync(wanted, expected, minToken, _settings.Ttl, () =>
            sentAt = Now
        );
        if (lease is null)
            return new ElectionInput.AcquireRefused(
                holder ?? (await store.ReadAsync(_settings.Ttl, minToken)).Lease,
                highest
            );
        attempt.Won(lease, seized: expected is not null);
        return new ElectionInput.Acquired(lease, sentAt);
    }

    private async Task<ElectionInput> RenewAsync(LeaseRecord lease)
    {
        var sentAt = Now;
        return await store.RenewAsync(lease, _settings.Ttl)
            ? new ElectionInput.Renewed(lease.Token, sentAt)
            : new ElectionInput.RenewRefused(lease.Token);
    }

    private async Task<ElectionInput> ReleaseAsync(ElectionEffect.Release release)
    {
        using var activity = GalaxyTrace.Source.StartActivity("resign");
        activity?.SetTag("galaxy.reason", _resignReason);
        var how = new LeaseRelease(release.Successor ?? "", node.NodeId, _resignReason, TraceParent.Of(activity));
        await store.ReleaseAsync(identity.Boot, release.Token, how, _settings.Reservation);
        return new ElectionInput.Released();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Leading under token {Token}")]
    private partial void LogBecameLeader(long token);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Stopped leading under token {Token}: {Reason}")]
    private partial void LogSteppedDown(long token, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Following {Leader} under token {Token}")]
    private partial void LogFollowing(string leader, long token);

    [LoggerMessage(Level = LogLevel.Information, Message = "The leader {Leader} hung up; calling it")]
    private partial void LogHungUp(string leader);

    [LoggerMessage(Message = "The store did not answer: {Reason}")]
    private partial void LogCallFailed(LogLevel level, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The election loop goes on after an error")]
    private partial void LogLoopFailed(Exception failure);
}
