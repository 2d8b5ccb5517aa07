using Galaxy.AppHost.Restarts;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.AppHost.Tests;

/// <summary>When a resource that ended is started again, and when not.</summary>
public sealed class RestartStateTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RestartState _state;

    public RestartStateTests() => _state = new RestartState(_time, hasHealthCheck: true);

    private RestartDecision RunFor(double seconds, int exitCode = 1, bool healthy = true)
    {
        _state.Started();
        if (healthy)
            _state.BecameHealthy();
        _time.Advance(TimeSpan.FromSeconds(seconds));
        return _state.Ended(exitCode);
    }

    [Fact]
    public void The_first_restart_follows_at_once() => Assert.Equal(TimeSpan.FromMilliseconds(200), RunFor(60).Delay);

    [Fact]
    public void The_delay_doubles_up_to_ten_seconds_while_it_keeps_ending()
    {
        var delays = Enumerable.Range(0, 8).Select(_ => RunFor(10).Delay!.Value.TotalSeconds);

        Assert.Equal([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10], delays);
    }

    [Fact]
    public void A_steady_run_resets_the_delay()
    {
        RunFor(10);
        RunFor(10);

        Assert.Equal(TimeSpan.FromMilliseconds(200), RunFor(31).Delay);
    }

    [Fact]
    public void A_resource_that_is_never_healthy_is_given_up_however_long_it_takes_to_fail()
    {
        var decisions = Enumerable
            .Range(0, RestartState.MaxFailedStarts)
            .Select(_ => RunFor(20, healthy: false))
            .ToList();

        Assert.All(decisions[..^1], decision => Assert.NotNull(decision.Delay));
        Assert.Null(decisions[^1].Delay);
        Assert.Contains("press Start", decisions[^1].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_resource_that_is_killed_again_and_again_is_not_given_up() =>
        Assert.All(Enumerable.Range(0, 50).Select(_ => RunFor(2, exitCode: 137)), decision =>
            Assert.NotNull(decision.Delay)
        );

    [Fact]
    public void A_resource_that_cannot_even_be_started_is_given_up_though_it_was_healthy_once()
    {
        RunFor(60);

        Assert.Contains(Enumerable.Range(0, RestartState.MaxFailedStarts).Select(_ => _state.Ended(null)), decision =>
            decision.Delay is null
        );
    }

    [Fact]
    public void Without_a_health_check_five_seconds_count_as_healthy()
    {
        var state = new RestartState(_time, hasHealthCheck: false);
        RestartDecision Run(double seconds)
        {
            state.Started();
            _time.Advance(TimeSpan.FromSeconds(seconds));
            return state.Ended(1);
        }

        Assert.All(Enumerable.Range(0, 20).Select(_ => Run(6)), decision => Assert.NotNull(decision.Delay));
        Assert.Contains(Enumerable.Range(0, 20).Select(_ => Run(1)), decision => decision.Delay is null);
    }

    [Fact]
    public void A_wrong_setting_is_not_tried_again()
    {
        var decision = RunFor(1, exitCode: 2);

        Assert.Null(decision.Delay);
        Assert.Contains("setting", decision.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_person_who_starts_it_gives_it_all_tries_again()
    {
        for (var i = 0; i < RestartState.MaxFailedStarts; i++)
            RunFor(0.1, healthy: false);
        Assert.Equal(TimeSpan.FromMilliseconds(200), RunFor(0.1).Delay);
    }

    [Fact]
    public void What_was_stopped_and_started_again_is_restarted_when_it_dies()
    {
        _state.Started();
        _state.RequestStop();
        _state.Stopped();
        Assert.False(_state.IsRunning);

        _state.Started();

        Assert.False(_state.StopRequested);
        Assert.NotNull(_state.Ended(exitCode: 137).Delay);
    }

    [Theory]
    [InlineData(137, "SIGKILL")]
    [InlineData(139, "SIGSEGV")]
    [InlineData(1, "exit code 1")]
    public void The_reason_names_how_it_ended(int exitCode, string says) =>
        Assert.Contains(says, RunFor(60, exitCode).Reason, StringComparison.Ordinal);
}
