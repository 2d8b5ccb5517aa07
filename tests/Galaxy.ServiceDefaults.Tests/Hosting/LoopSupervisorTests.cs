using Galaxy.ServiceDefaults.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Galaxy.ServiceDefaults.Tests.Hosting;

public class LoopSupervisorTests
{
    [Fact]
    public async Task A_loop_that_fails_is_started_again_and_the_process_goes_on()
    {
        var (failing, steady) = (new Failing(times: 3), new Steady());
        using var host = Build(failing, steady);
        await host.StartAsync(TestContext.Current.CancellationToken);

        await failing.Works.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        Assert.Equal(4, failing.Starts);
        Assert.Equal(1, steady.Starts);
        Assert.False(
            host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested
        );
        await host.StopAsync(TestContext.Current.CancellationToken);
        Assert.True(failing.HasStopped);
    }

    [Fact]
    public async Task A_loop_that_ends_by_itself_stays_ended_and_stopping_is_no_failure()
    {
        var (ending, failing) = (new Failing(times: 0), new Failing(times: int.MaxValue));
        using var host = Build(ending, failing);
        await host.StartAsync(TestContext.Current.CancellationToken);
        await ending.Works.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        await host.StopAsync(TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        Assert.Equal(1, ending.Starts);
    }

    private static IHost Build(params BackgroundService[] services)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.Configure<HostOptions>(host =>
            host.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore
        );
        foreach (var service in services)
            builder.Services.AddSingleton<IHostedService>(service);
        builder.Services.AddSingleton<IHostedService>(provider => new LoopSupervisor(
            provider,
            TimeProvider.System,
            NullLogger<LoopSupervisor>.Instance
        ));
        return builder.Build();
    }

    private sealed class Failing(int times) : BackgroundService
    {
        private int _starts;

        public int Starts => _starts;

        public bool HasStopped { get; private set; }

        public TaskCompletionSource Works { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            if (Interlocked.Increment(ref _starts) <= times)
                throw new InvalidOperationException("a defect");
            Works.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            HasStopped = true;
        }
    }

    private sealed class Steady : BackgroundService
    {
        public int Starts { get; private set; }

        protected override Task ExecuteAsync(CancellationToken stoppingToken)
        {
            Starts++;
            return Task.CompletedTask;
        }
    }
}
