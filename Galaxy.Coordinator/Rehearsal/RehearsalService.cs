using System.Net.WebSockets;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Storage;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;
using Galaxy.ServiceDefaults.Telemetry;
using Grpc.Core;
using StackExchange.Redis;

namespace Galaxy.Coordinator.Rehearsal;

/// <summary>
/// Lets this process take over once before it has to. A process that does it for the first time spends most of the time
/// compiling what it does, and a failover is no time for that.
/// </summary>
internal sealed partial class RehearsalService(
    RedisStores stores,
    StoreWatch watch,
    GossipLoop loop,
    NodeOptions node,
    TimeProvider time,
    IHostApplicationLifetime application,
    ILogger<RehearsalService> log
) : BackgroundService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = application.ApplicationStarted.Register(started.SetResult);
            await started.Task.WaitAsync(stoppingToken);
            await loop.Joined.WaitAsync(stoppingToken);
            await watch.Ready.WaitAsync(stoppingToken);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            patience.CancelAfter(Patience);
            Unobserved.Begin();
            var began = time.GetTimestamp();
            await using var shadow = await ShadowCoordinator.StartAsync(stores, node, patience.Token);
            await shadow.TakeOverAsync(patience.Token);
            await shadow.ServeAsync(patience.Token);
            LogDone((long)time.GetElapsedTime(began).TotalMilliseconds);
        }
        catch (Exception failure)
            when (failure
                    is StoreUnavailableException
                        or RedisException
                        or TimeoutException
                        or HttpRequestException
                        or WebSocketException
                        or RpcException
                        or IOException
                        or OperationCanceledException
            )
        {
            LogCutShort(failure.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Rehearsed a failover in {Milliseconds} ms")]
    private partial void LogDone(long milliseconds);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The rehearsal was cut short: {Reason}")]
    private partial void LogCutShort(string reason);
}
