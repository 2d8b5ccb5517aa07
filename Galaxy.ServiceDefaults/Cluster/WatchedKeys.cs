using System.Collections.Immutable;
using Galaxy.Core.Clocks;
using Galaxy.ServiceDefaults.Authentication;

namespace Galaxy.ServiceDefaults.Cluster;

/// <summary>The access keys that have been issued, as the coordinators report them. Thread-safe.</summary>
internal sealed class WatchedKeys(ClusterWatcher watcher) : IAccessDirectory
{
    private Tuple<ImmutableArray<Contracts.Cluster.AccessKey>, Dictionary<string, AccessKey>>? _read;

    public bool IsComplete => watcher.Current.LeaderReachable;

    public AccessKey? Find(string id)
    {
        var told = watcher.Current.AccessKeys;
        if (_read is not { } read || read.Item1 != told)
            _read = read = Tuple.Create(
                told,
                told.DistinctBy(key => key.Id, StringComparer.Ordinal)
                    .ToDictionary(key => key.Id, Read, StringComparer.Ordinal)
            );
        return read.Item2.GetValueOrDefault(id);
    }

    private static AccessKey Read(Contracts.Cluster.AccessKey key) =>
        new()
        {
            Id = key.Id,
            Name = key.Name,
            Role = key.Role,
            Hash = key.Hash,
            Expires = key.ExpiresUnixMs == 0 ? null : UnixTime.At(key.ExpiresUnixMs),
        };
}
