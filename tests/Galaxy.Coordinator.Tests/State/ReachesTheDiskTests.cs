using System.Text;
using Galaxy.Contracts.State;
using Galaxy.Coordinator.Gossip;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Galaxy.Coordinator.Tests.State;

/// <summary>
/// When files are sent to the disk itself. What reaches it cannot be seen from a living system: the order that the
/// files are given is.
/// </summary>
public sealed class ReachesTheDiskTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("galaxy-disk-").FullName;
    private readonly Disk _disk = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string FileOf(string name) => Path.Combine(_folder, name);

    private static LogRecord Record(string key) =>
        new() { Entry = new ReplicatedMap("n1~1").Put("ns", key, Value, 1).ToWire() };

    private static readonly byte[] Value = Encoding.UTF8.GetBytes("value");

    [Fact]
    public void The_log_is_sent_to_the_disk_whole_and_only_when_something_was_written()
    {
        using var log = new WriteAheadLog(FileOf("1.log"), _disk.Open);
        log.Sync();
        Assert.Empty(_disk.Synced);

        log.Append(Record("a"));
        log.Append(Record("b"));
        Assert.Empty(_disk.Synced);
        log.Sync();
        log.Sync();

        var synced = Assert.Single(_disk.Synced);
        Assert.Equal(new FileInfo(FileOf("1.log")).Length, synced.Bytes);

        log.Append(Record("c"));
        log.Sync();
        Assert.Equal(new FileInfo(FileOf("1.log")).Length, _disk.Synced[^1].Bytes);
        Assert.Equal(2, _disk.Synced.Count);
    }

    [Fact]
    public void A_file_is_on_the_disk_whole_before_it_takes_the_place_of_the_old_one()
    {
        var path = FileOf("file");
        File.WriteAllText(path, "old");
        var then = "";
        _disk.OnSync = () => then = File.ReadAllText(path);
        // More than is buffered, and not a multiple of it.
        var content = new byte[10_001];

        DurableFile.Write(path, content, _disk.Open);

        Assert.Equal("old", then);
        Assert.Equal((path + ".next", content.Length), Assert.Single(_disk.Synced));
        Assert.Equal(content, File.ReadAllBytes(path));
    }

    [Fact]
    public void A_file_that_does_not_reach_the_disk_leaves_the_old_one()
    {
        var path = FileOf("file");
        File.WriteAllText(path, "old");
        _disk.OnSync = () => throw new IOException("The disk fails.");

        Assert.Throws<IOException>(() => DurableFile.Write(path, new byte[10], _disk.Open));

        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_journal_sends_its_log_to_the_disk_before_the_next_one_begins_and_before_it_closes()
    {
        var node = new NodeOptions
        {
            NodeId = "n1",
            Cluster = "test",
            DataFolder = _folder,
        };
        using var folder = StateFolder.Open(node);
        using var journal = Journal(folder, node, TimeProvider.System);
        var map = journal.Load(new StateLimits());
        journal.Append(map.Put("ns", "a", Value, 1));

        var number = journal.NextLog()!.Value;
        Assert.Equal(["00000000.log"], _disk.Names);
        journal.Write(number, journal.BodyOf(map.Origin, map.All, map.Summary, map.Pruned, map.Clock));
        Assert.Equal(["00000000.log", "00000001.snapshot.next"], _disk.Names);
        journal.Append(map.Put("ns", "b", Value, 1));
        journal.Close();
        Assert.Equal(["00000000.log", "00000001.snapshot.next", "00000001.log"], _disk.Names);
    }

    [Fact]
    public async Task What_was_written_is_sent_to_the_disk_once_a_second()
    {
        var node = new NodeOptions
        {
            NodeId = "n1",
            Cluster = "test",
            DataFolder = _folder,
        };
        var time = new FakeTimeProvider();
        using var folder = StateFolder.Open(node);
        using var journal = Journal(folder, node, time);
        var replica = new ReplicatedState(journal, time);
        var membership = new Membership(node, new Identity(new ListenAddresses("127.0.0.1", [1, 2]), time), time);
        var synced = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _disk.OnSync = () => synced.TrySetResult();
        using var keeper = new StateKeeper(
            replica,
            new PeerSummaries(membership, replica, time),
            journal,
            time,
            NullLogger<StateKeeper>.Instance
        );
        journal.Append(new ReplicatedMap("n1~1").Put("ns", "a", Value, 1));

        await keeper.StartAsync(TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(1));
        await synced.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        Assert.EndsWith(".log", Assert.Single(_disk.Names), StringComparison.Ordinal);
        await keeper.StopAsync(TestContext.Current.CancellationToken);
    }

    private StateJournal Journal(StateFolder folder, NodeOptions node, TimeProvider time) =>
        new(folder, node, time, NullLogger<StateJournal>.Instance, _disk.Open);

    /// <summary>Real files that note how much they held whenever they were sent to the disk.</summary>
    private sealed class Disk
    {
        public List<(string Path, long Bytes)> Synced { get; } = [];

        public IEnumerable<string> Names => Synced.Select(file => Path.GetFileName(file.Path));

        public Action OnSync { get; set; } = () => { };

        public FileStream Open(string path, FileMode mode, FileShare share, int bufferSize) =>
            new Noted(this, path, mode, share, bufferSize);

        private sealed class Noted(Disk disk, string path, FileMode mode, FileShare share, int bufferSize)
            : FileStream(path, mode, FileAccess.Write, share, bufferSize)
        {
            public override void Flush(bool flushToDisk)
            {
                base.Flush(flushToDisk);
                if (!flushToDisk)
                    return;
                disk.Synced.Add((Name, new FileInfo(Name).Length));
                disk.OnSync();
            }
        }
    }
}
