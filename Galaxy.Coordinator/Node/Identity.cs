using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Node;

/// <summary>This process: a random boot id, and where others reach it now.</summary>
internal sealed class Identity(ListenAddresses addresses, TimeProvider time)
{
    public string Boot { get; } = Guid.NewGuid().ToString("N")[..16];
    public string Url => addresses.Url(0);
    public string GrpcUrl => addresses.Url(1);
    public DateTimeOffset StartedAt { get; } = time.GetUtcNow();
}
