using Galaxy.Contracts.Cluster;

namespace Galaxy.Coordinator.Cluster;

/// <summary>
/// A snapshot, and the same snapshot without the fields that change all the time, such as last-seen times: a node that
/// is merely still present is no change.
/// </summary>
internal sealed class FeedSnapshot(Snapshot full)
{
    private readonly Lazy<Snapshot> _news = new(() =>
    {
        var news = full.Clone();
        foreach (var service in news.Services)
            service.LastSeenUnixMs = 0;
        foreach (var device in news.Devices)
            device.LastSeenUnixMs = 0;
        return news;
    });

    public Snapshot Full => full;

    public bool SaysTheSameAs(FeedSnapshot other) =>
        ReferenceEquals(this, other) || _news.Value.Equals(other._news.Value);

    public bool HasTheLeaderOf(FeedSnapshot other) => full.Leader.Equals(other.Full.Leader);
}
