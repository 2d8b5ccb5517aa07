using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;
using Galaxy.LocalHosting.Supervision;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.LocalHosting.Tests.Supervision;

/// <summary>With real processes, on a clock that the test moves.</summary>
public sealed class SupervisedProcessTests : IDisposable
{
    private readonly ProcessSpawner _spawner = new();
    private readonly SupervisorConsole _console = new(quiet: true, nameWidth: 0);
    private readonly WatchedTime _time = new();

    public SupervisedProcessTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "The processes are of /bin/sh.");

    public void Dispose() => _spawner.Dispose();

    private SupervisedProcess Shell(string script, params (string, string?)[] environment) =>
        new(Shells.Run("p", script) with { Environment = environment }, _spawner, _console, _time);

    [Fact]
    public async Task What_dies_is_started_again_after_pauses_that_double_up_to_ten_seconds()
    {
        var process = Shell("exit 7");
        process.Start();

        foreach (var seconds in (double[])[0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10])
        {
            var pause = await _time.NextPauseAsync();
            Assert.Equal(seconds, pause.TotalSeconds);
            Assert.Equal(ProcessState.Restarting, process.State);
            _time.Advance(pause);
        }
        await _time.NextPauseAsync();
        Assert.Equal(9, process.Restarts);

        var stopping = process.StopAsync(Eventually.Patience);
        _time.Advance(TimeSpan.FromSeconds(10));
        await stopping;
        Assert.Equal(ProcessState.Stopped, process.State);
    }

    [Fact]
    public async Task After_half_a_minute_of_work_the_pause_is_short_again()
    {
        var process = Shell("exec sleep 60");
        process.Start();
        foreach (var (worked, pause) in new[] { (0, 0.2), (30, 0.4), (31, 0.2), (0, 0.4) })
        {
            await Eventually.TrueAsync(() => process.State == ProcessState.Healthy);
            _time.Advance(TimeSpan.FromSeconds(worked));
            process.Signal(Signals.Kill);
            Assert.Equal(pause, (await _time.NextPauseAsync()).TotalSeconds);
            _time.Advance(TimeSpan.FromSeconds(pause));
        }
        await process.StopAsync(Eventually.Patience);
        Assert.Equal(4, process.Restarts);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Who_refuses_its_settings_is_not_started_again(int code)
    {
        using var nobody = new Socket(SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var http = new EndpointDescription("http", 1);
        var script = $"echo a line; echo 'error: API_PORT is x' >&2; exit {code}";
        var process = new SupervisedProcess(
            Shells.Run("p", script) with
            {
                Kind = new ServiceKind("p", "p") { Endpoints = [http] },
                Endpoints = [new BoundEndpoint(http, ((IPEndPoint)nobody.LocalEndPoint!).Port)],
            },
            _spawner,
            _console,
            _time
        );
        process.Start();

        var refused = await Assert.ThrowsAsync<SupervisorException>(() =>
            process.Healthy.WaitAsync(Eventually.Patience)
        );
        Assert.Equal("'p' refuses to start: API_PORT is x", refused.Message);
        Assert.Equal(0, process.Restarts);
    }

    [Fact]
    public async Task A_program_that_is_not_there_fails_at_once_with_the_reason()
    {
        var process = new SupervisedProcess(
            Shells.Run("p", "") with
            {
                Program = "/no/such/program",
            },
            _spawner,
            _console,
            _time
        );
        process.Start();

        var refused = await Assert.ThrowsAsync<SupervisorException>(() =>
            process.Healthy.WaitAsync(Eventually.Patience)
        );
        Assert.StartsWith("'p' could not be started: ", refused.Message, StringComparison.Ordinal);
        Assert.Equal(ProcessState.Failed, process.State);
    }

    [Fact]
    public async Task Who_does_not_end_when_it_is_told_to_is_killed()
    {
        var process = Shell("trap '' TERM; echo ready; exec sleep 60");
        process.Start();
        await Eventually.TrueAsync(() => process.Lines.Contains("ready"));

        await process.StopAsync(TimeSpan.FromMilliseconds(50)).WaitAsync(Eventually.Patience);

        Assert.Equal((ProcessState.Stopped, null), (process.State, process.ProcessId));
        Assert.Equal(0, process.Restarts);
    }

    [Fact]
    public async Task A_program_that_was_left_behind_does_not_keep_the_dead_one_from_starting_again()
    {
        // It has the output of the one that started it.
        var process = Shell("sleep 5 & echo ready; exec sleep 60");
        process.Start();
        await Eventually.TrueAsync(() => process.Lines.Contains("ready"));

        process.Signal(Signals.Kill);
        var pause = await _time.NextPauseAsync().WaitAsync(TimeSpan.FromSeconds(3));

        var stopping = process.StopAsync(Eventually.Patience);
        _time.Advance(pause);
        await stopping;
    }

    [Fact]
    public async Task The_last_five_hundred_lines_are_kept()
    {
        var process = Shell("i=0; while [ $i -lt 600 ]; do echo $i; i=$((i+1)); done; exec sleep 60");
        process.Start();
        await Eventually.TrueAsync(() => process.Lines.Contains("599"));

        Assert.Equal(500, process.Lines.Count);
        Assert.Equal("100", process.Lines[0]);
        await process.StopAsync(Eventually.Patience);
    }

    [Fact]
    public async Task A_later_variable_wins_whatever_its_case_and_a_change_counts_from_the_next_start()
    {
        var process = Shell(
            "echo \"$A-$a-$GALAXY_RUNNER_PID\"; exec sleep 60",
            ("a", "first"),
            ("galaxy_runner_pid", "0"),
            ("GALAXY_RUNNER_PID", "1"),
            ("A", "second")
        );
        process.Start();
        await Eventually.TrueAsync(() => process.Lines.Contains("second--1"));

        process.Change(description => description with { Environment = [("A", "third")] });
        await Eventually.TrueAsync(() => process.State == ProcessState.Healthy);
        await process.StopAsync(Eventually.Patience);
        process.Start();

        await Eventually.TrueAsync(() => process.Lines.Contains($"third--{Environment.ProcessId}"));
        await process.StopAsync(Eventually.Patience);
    }

    /// <summary>A clock that tells of each pause that somebody begins.</summary>
    private sealed class WatchedTime : FakeTimeProvider
    {
        private readonly Channel<TimeSpan> _pauses = Channel.CreateUnbounded<TimeSpan>();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            _pauses.Writer.TryWrite(dueTime);
            return timer;
        }

        public async Task<TimeSpan> NextPauseAsync() =>
            await _pauses.Reader.ReadAsync().AsTask().WaitAsync(Eventually.Patience);
    }
}
