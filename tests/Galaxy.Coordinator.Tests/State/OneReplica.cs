using Galaxy.Coordinator.Replica;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Galaxy.Coordinator.Tests.State;

/// <summary>
/// The replicated state of one coordinator on a disk of its own; two of them exchange what they have by hand.
/// </summary>
internal sealed class OneReplica : IDisposable
{
    private readonly NodeOptions _node;
    private readonly StateFolder _folder;

    /// <param name="time">Null: the machine's clock.</param>
    public OneReplica(string name, TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        _node = new NodeOptions
        {
            NodeId = name,
            Cluster = "test",
            DataFolder = Directory.CreateTempSubdirectory("galaxy-replica-").FullName,
        };
        _folder = StateFolder.Open(_node);
        Journal = new StateJournal(_folder, _node, time, NullLogger<StateJournal>.Instance);
        Replica = new ReplicatedState(Journal, time);
    }

    public ReplicatedState Replica { get; }

    public StateJournal Journal { get; }

    /// <summary>Takes in what the other has written by now.</summary>
    public void Hear(OneReplica other)
    {
        var (entries, summary, pruned) = other.Replica.Everything();
        Replica.Apply(new Delta(entries, summary, pruned));
    }

    public void Dispose()
    {
        Journal.Dispose();
        _folder.Dispose();
        Directory.Delete(_node.DataFolder, recursive: true);
    }
}
