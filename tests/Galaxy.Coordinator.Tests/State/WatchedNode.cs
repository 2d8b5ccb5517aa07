using System.Text;
using System.Threading.Channels;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.Coordinator.Tests.State;

/// <summary>
/// A coordinator's replicated state with its feed, on a clock that the test moves. Every one is another process.
/// </summary>
internal sealed class WatchedNode : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-watch-").FullName;
    private readonly StateFolder _folder;
    private readonly StateJournal _journal;

    public WatchedNode()
    {
        var node = new NodeOptions
        {
            NodeId = "n1",
            Cluster = "test",
            DataFolder = _data,
        };
        var identity = new Identity(new ListenAddresses("localhost", [1, 2]), Time);
        _folder = StateFolder.Open(node);
        _journal = new StateJournal(_folder, node, Time, NullLogger<StateJournal>.Instance);
        Replica = new ReplicatedState(_journal, Time);
        (Feed, Boot) = (new StateFeed(Replica, identity), identity.Boot);
    }

    public WaitCountingTime Time { get; } = new();

    public ReplicatedState Replica { get; }

    public StateFeed Feed { get; }

    public string Boot { get; }

    public void Put(string ns, string key, string value) => Replica.Put(ns, key, Encoding.UTF8.GetBytes(value));

    public void Delete(string ns, string key) => Replica.Delete(ns, key);

    /// <summary>What a reader sees of a namespace: the JSON of each key.</summary>
    public Dictionary<string, string> Listed(string ns) => Replica.List(ns).ToDictionary(entry => entry.Key, Value);

    private static string Value(StateEntry entry) => entry.ToView().Value!.ToJsonString();

    public void Dispose()
    {
        _journal.Dispose();
        _folder.Dispose();
        Directory.Delete(_data, recursive: true);
    }
}

/// <summary>Time that stands until it is moved, and that says when somebody waits for it.</summary>
internal sealed class WaitCountingTime : FakeTimeProvider
{
    private readonly Channel<TimeSpan> _waits = Channel.CreateUnbounded<TimeSpan>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _waits.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>Returns when somebody has begun to wait; each wait is counted once.</summary>
    public Task WaitBegunAsync() => _waits.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
}
