using Galaxy.LocalHosting;

namespace Galaxy.Bench.Failover;

/// <summary>The development system, whatever runs its processes.</summary>
internal interface ISystem : IAsyncDisposable
{
    string Key { get; }

    Uri Url(string process, string endpoint);

    /// <summary>Null while it does not run.</summary>
    int? ProcessId(string process);

    IReadOnlyList<string> Output(string process);

    void Kill(string process);

    void Pause(string process);

    void Continue(string process);

    Task StopAsync(string process);

    Task StartAsync(string process);
}

/// <summary>Under the supervisor, in this process.</summary>
internal sealed class SupervisedHost(LocalCluster cluster) : ISystem
{
    public string Key => cluster.Key;

    public Uri Url(string process, string endpoint) => cluster.Url(process, endpoint);

    public int? ProcessId(string process) => cluster.ProcessId(process);

    public IReadOnlyList<string> Output(string process) => cluster.Output(process);

    public void Kill(string process) => cluster.Kill(process);

    public void Pause(string process) => cluster.Pause(process);

    public void Continue(string process) => cluster.Continue(process);

    public Task StopAsync(string process) => cluster.StopAsync(process);

    public Task StartAsync(string process)
    {
        cluster.Start(process);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => cluster.DisposeAsync();
}
