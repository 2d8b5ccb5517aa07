using System.Collections.Concurrent;
using Galaxy.Contracts.Cluster;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Galaxy.ServiceDefaults.Cluster;

/// <summary>
/// Keeps a <c>Watch</c> open to every coordinator that is configured or that another coordinator names, and publishes
/// what they say as <see cref="ClusterView"/>s. Thread-safe.
/// </summary>
public sealed partial class ClusterWatcher(
    CoordinatorChannels channels,
    IConfiguration configuration,
    NodeOptions node,
    TimeProvider time,
    ILogger<ClusterWatcher> log
) : BackgroundService
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, Task> _watches = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, Snapshot> _snapshots = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ClusterView _view = ClusterView.Empty;

    public ClusterView Current => _view;

    /// <summary>The present view and then each later one; a slow reader skips to the newest.</summary>
    public async IAsyncEnumerable<ClusterView> Changes(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation = default
    )
    {
        long seen = -1;
        while (!cancellation.IsCancellationRequested)
        {
            Task next;
            ClusterView view;
            lock (_gate)
            {
                next = _changed.Task;
                view = _view;
            }
            if (view.Version > seen)
            {
                seen = view.Version;
                yield return view;
                continue;
            }
            await next.WaitAsync(cancellation);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var address in CoordinatorDirectory.Read(configuration, node))
            Ensure(address, stoppingToken);
        if (_watches.IsEmpty)
            LogNoCoordinators();
        await Task.Delay(Timeout.InfiniteTimeSpan, time, stoppingToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_watches.Values);
    }

    /// <summary>Adds a coordinator found by other means, for instance by discovery.</summary>
    private void Ensure(string address, CancellationToken stopping) =>
        _watches.GetOrAdd(address, key => Task.Run(() => WatchAsync(key, stopping), CancellationToken.None));

    private async Task WatchAsync(string address, CancellationToken stopping)
    {
        var retry = FirstRetry;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var client = channels.Cluster(address);
                using var call = client.Watch(new WatchRequest { Watcher = node.NodeId }, cancellationToken: stopping);
                await foreach (var snapshot in call.ResponseStream.ReadAllAsync(stopping))
                {
                    retry = FirstRetry;
                    FillIn(snapshot);
                    _snapshots[address] = snapshot;
                    Publish();
                    foreach (var other in snapshot.Nodes.Where(n => n.State is "alive" && n.GrpcUrl.Length > 0))
                        Ensure(other.GrpcUrl, stopping);
                }
            }
            catch (RpcException failure) when (failure.StatusCode == StatusCode.Unauthenticated)
            {
                LogWrongKey(address);
                retry = LastRetry;
            }
            catch (Exception failure)
                when (failure
                        is RpcException
                            or HttpRequestException
                            or IOException
                            or OperationCanceledException
                            or ObjectDisposedException
                )
            {
                LogWatchEnded(address, failure.Message);
            }
            // A process that is stopping keeps its last view: others still say goodbye by it.
            if (!stopping.IsCancellationRequested && _snapshots.TryRemove(address, out _))
                Publish();
            await Task.Delay(retry, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
        }
    }

    // Capabilities come once for all devices that have them, and are shared here as well.
    private static void FillIn(Snapshot snapshot)
    {
        foreach (var device in snapshot.Devices)
        {
            foreach (var index in device.CapabilityIndexes)
            {
                if (index >= 0 && index < snapshot.DeviceCapabilities.Count)
                    device.Capabilities.Add(snapshot.DeviceCapabilities[index]);
            }
            device.CapabilityIndexes.Clear();
        }
    }

    private void Publish()
    {
        lock (_gate)
        {
            _view = ClusterView.Join(_view.Version + 1, [.. _snapshots.Values]);
            var waiters = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiters.SetResult();
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "No coordinator is configured: set GALAXY_COORDINATORS to the gRPC address of one."
    )]
    private partial void LogNoCoordinators();

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The coordinator at {Address} refuses this node's GALAXY_API_KEY: set the same key on every node."
    )]
    private partial void LogWrongKey(string address);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The watch on {Address} ended: {Reason}")]
    private partial void LogWatchEnded(string address, string reason);
}
