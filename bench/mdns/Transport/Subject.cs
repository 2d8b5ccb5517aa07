using Galaxy.Hosts;

namespace Galaxy.Bench.Mdns.Transport;

/// <summary>What is measured: a node on the first host of the network.</summary>
internal abstract class Subject(LabHost host) : IDisposable
{
    protected LabHost Host => host;

    public abstract string Name { get; }

    /// <summary>The instance name that the node wants.</summary>
    public const string Instance = "node-a";

    /// <summary>The process that speaks multicast DNS.</summary>
    public abstract LabProcess Process { get; }

    public abstract Task StartAsync();

    /// <summary>SIGTERM.</summary>
    public virtual Task StopAsync() => Process.StopAsync();

    /// <summary>Whether the node has found an instance and did not lose it since.</summary>
    public abstract Task<bool> SeesAsync(string instance);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) { }
}

/// <summary>Makaretu.Dns.Multicast in a process of its own.</summary>
internal sealed class MakaretuSubject(LabHost host, bool defaults = false) : Subject(host)
{
    private LabProcess? _process;

    public override string Name => defaults ? "Makaretu, default settings" : "Makaretu";

    public override LabProcess Process => _process ?? throw new InvalidOperationException("not started");

    public override Task StartAsync()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Galaxy.Bench.Mdns");
        string[] arguments = defaults ? ["node", Instance, "--defaults"] : ["node", Instance];
        _process = Host.Start(program, null, arguments);
        return Task.CompletedTask;
    }

    public override Task<bool> SeesAsync(string instance) =>
        Task.FromResult(
            Process.Output.LastOrDefault(line => line == $"found {instance}" || line == $"gone {instance}")
                == $"found {instance}"
        );
}

/// <summary>Galaxy.Discovery beside a coordinator, as they are deployed.</summary>
internal sealed class GalaxySubject(LabHost host) : Subject(host)
{
    private readonly GalaxyNode _node = new(host);
    private bool _hasCoordinator;

    public override string Name => "Galaxy";

    public override LabProcess Process => _node.Discovery ?? throw new InvalidOperationException("not started");

    public override async Task StartAsync()
    {
        if (!_hasCoordinator)
        {
            GalaxyNode.StartStore(Host);
            _node.StartCoordinator();
            for (var i = 0; i < 100 && await _node.ClusterAsync() is null; i++)
                await Task.Delay(200);
            _hasCoordinator = true;
        }
        _node.StartDiscovery();
    }

    public override async Task<bool> SeesAsync(string instance) => (await _node.SeenAsync()).ContainsKey(instance);

    protected override void Dispose(bool disposing)
    {
        _node.Dispose();
        base.Dispose(disposing);
    }
}
