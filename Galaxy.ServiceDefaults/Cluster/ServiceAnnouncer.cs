using Galaxy.Contracts.Cluster;
using Galaxy.ServiceDefaults.Nodes;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Galaxy.ServiceDefaults.Cluster;

/// <summary>A capability that a service offers to others.</summary>
/// <param name="Path">Where, under its address. <c>GET</c> takes the parameters in the query, <c>POST</c> in the
/// body.</param>
/// <param name="Parameters">A JSON schema of the parameters.</param>
public sealed record ServiceCapability(string Name, string Description, string Method, string Path, string Parameters)
{
    /// <summary>The capability is idempotent.</summary>
    public bool IsIdempotent { get; init; } = Method == "GET";
}

/// <summary>The description of a service.</summary>
/// <param name="Url">Asked for at each announcement: the machine's address may change.</param>
public sealed record ServiceDescription(
    string Id,
    string Kind,
    string Layer,
    Func<string> Url,
    IReadOnlyList<ServiceCapability> Capabilities
)
{
    /// <summary>More that others may want to know, asked for at each announcement.</summary>
    public Func<IReadOnlyDictionary<string, string>> Labels { get; init; } = () => new Dictionary<string, string>();
}

/// <summary>
/// Keeps this service in the cluster's registry: announces it every few seconds to one coordinator after another.
/// </summary>
public sealed partial class ServiceAnnouncer(
    ServiceDescription description,
    ListenAddresses addresses,
    OwnAddresses own,
    ClusterWatcher watcher,
    CoordinatorChannels channels,
    TimeProvider time,
    ILogger<ServiceAnnouncer> log
) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(20);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            addresses.Follow(own);
            var announced = await TryAsync(
                (client, deadline) => client.AnnounceAsync(Message(), deadline: deadline).ResponseAsync
            );
            await Task.Delay(announced ? Every : TimeSpan.FromMilliseconds(300), time, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryAsync(
            (client, deadline) =>
                client.WithdrawAsync(new WithdrawRequest { Id = description.Id }, deadline: deadline).ResponseAsync
        );
    }

    private async Task<bool> TryAsync(Func<Contracts.Cluster.Cluster.ClusterClient, DateTime, Task> call)
    {
        var view = watcher.Current;
        // The leader's word spreads fastest; any other coordinator gossips it on.
        var target = view.Reachable.FirstOrDefault(n => n.Boot == view.UsableLeader?.Boot)
            ?? view.Reachable.FirstOrDefault();
        if (target is null)
            return false;
        try
        {
            await call(channels.Cluster(target.GrpcUrl), time.GetUtcNow().UtcDateTime.AddSeconds(1));
            return true;
        }
        catch (RpcException failure)
        {
            LogFailed(target.GrpcUrl, failure.Status.Detail);
            return false;
        }
    }

    private Service Message()
    {
        var message = new Service
        {
            Id = description.Id,
            Kind = description.Kind,
            Layer = description.Layer,
            Url = description.Url(),
            TtlMs = (long)Ttl.TotalMilliseconds,
            Pid = Environment.ProcessId,
            Version = BuildVersion.Text,
        };
        message.Capabilities.AddRange(
            description.Capabilities.Select(one => new Capability
            {
                Name = one.Name,
                Version = "1",
                Priority = 5,
                Description = one.Description,
                Parameters = one.Parameters,
                Method = one.Method,
                Path = one.Path,
                Idempotent = one.IsIdempotent,
            })
        );
        foreach (var (name, value) in description.Labels())
            message.Labels[name] = value;
        return message;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Announcing to {Address} failed: {Reason}")]
    private partial void LogFailed(string address, string reason);
}
