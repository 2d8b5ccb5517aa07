using System.Text;
using System.Text.Json.Nodes;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Galaxy.Coordinator.Tests.State;

/// <summary>Real files: what a node finds on its disk after it ended in every possible way.</summary>
public sealed class StateJournalTests : IDisposable
{
    private readonly NodeOptions _node = new()
    {
        NodeId = "n1",
        Cluster = "test",
        DataFolder = Directory.CreateTempSubdirectory("galaxy-journal-").FullName,
    };
    private readonly List<string> _said = [];

    public void Dispose() => Directory.Delete(_node.DataFolder, recursive: true);

    private string Folder => Path.Combine(_node.DataFolder, "state");

    private (StateFolder Folder, StateJournal Journal, ReplicatedMap Map) Start()
    {
        var folder = StateFolder.Open(_node);
        var journal = new StateJournal(folder, _node, TimeProvider.System, new Listener(_said));
        return (folder, journal, journal.Load(new StateLimits()));
    }

    /// <summary>The process dies: nothing is flushed, closed or marked, only its handles go.</summary>
    private static void Die((StateFolder Folder, StateJournal Journal, ReplicatedMap Map) node)
    {
        node.Journal.Dispose();
        node.Folder.Dispose();
    }

    private static void Put(
        (StateFolder Folder, StateJournal Journal, ReplicatedMap Map) node,
        string key,
        string value
    )
    {
        var entry = node.Map.Put("ns", key, Encoding.UTF8.GetBytes(value), 1);
        node.Journal.Append(entry);
    }

    private static void Snapshot((StateFolder Folder, StateJournal Journal, ReplicatedMap Map) node)
    {
        var number = node.Journal.NextLog()!.Value;
        node.Journal.Write(
            number,
            node.Journal.BodyOf(node.Map.Origin, node.Map.All, node.Map.Summary, node.Map.Pruned, node.Map.Clock)
        );
    }

    private static string? Value(ReplicatedMap map, string key) =>
        map.Get("ns", key) is { } entry ? Encoding.UTF8.GetString(entry.Value.Span) : null;

    [Fact]
    public void What_was_written_before_the_process_died_is_there_and_the_node_goes_on_under_its_name()
    {
        var node = Start();
        Put(node, "a", "1");
        Snapshot(node);
        Put(node, "b", "2");
        Die(node);

        var again = Start();

        Assert.Equal(("1", "2"), (Value(again.Map, "a"), Value(again.Map, "b")));
        Assert.Equal((node.Map.Origin, 2ul), (again.Map.Origin, again.Map.Counter));
        Put(again, "c", "3");
        Assert.Equal(3ul, again.Map.Counter);
        Die(again);
    }

    [Fact]
    public void A_record_that_the_process_did_not_finish_is_cut_off_and_nothing_else()
    {
        var node = Start();
        Put(node, "a", "1");
        Put(node, "b", "2");
        Die(node);
        var log = Directory.GetFiles(Folder, "*.log").Single();
        using (var stream = File.OpenWrite(log))
            stream.SetLength(stream.Length - 3);

        var again = Start();

        Assert.Equal(("1", (string?)null), (Value(again.Map, "a"), Value(again.Map, "b")));
        Assert.Equal(node.Map.Origin, again.Map.Origin);
        Put(again, "c", "3");
        Die(again);
        Assert.Equal("3", Value(Start().Map, "c"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_damaged_newest_snapshot_is_passed_over_and_said_and_the_one_before_with_its_log_loses_nothing(
        bool truncated
    )
    {
        var node = Start();
        Put(node, "a", "1");
        Snapshot(node);
        Put(node, "b", "2");
        Snapshot(node);
        Put(node, "c", "3");
        Die(node);
        Damage(Directory.GetFiles(Folder, "*.snapshot").Order(StringComparer.Ordinal).Last(), truncated);

        var again = Start();

        Assert.Equal(("1", "2", "3"), (Value(again.Map, "a"), Value(again.Map, "b"), Value(again.Map, "c")));
        Assert.Equal(node.Map.Origin, again.Map.Origin);
        Assert.Contains(_said, line => line.Contains("00000002.snapshot is damaged", StringComparison.Ordinal));
        Assert.Equal(
            truncated ? "it is cut short" : "its content does not match its SHA-256",
            again.Journal.List()[0].Problem![..(truncated ? 15 : 38)]
        );
        Die(again);
    }

    private static void Damage(string file, bool truncated)
    {
        var bytes = File.ReadAllBytes(file);
        if (truncated)
            bytes = bytes[..^5];
        else
            bytes[^5] ^= 4;
        File.WriteAllBytes(file, bytes);
    }

    [Fact]
    public void A_whole_record_that_this_version_cannot_read_is_passed_over_and_those_after_it_are_read()
    {
        var node = Start();
        Put(node, "a", "1");
        Put(node, "b", "2");
        Die(node);
        InsertAfterFirst([0xFF, 0xFF, 0xFF]);

        var again = Start();

        Assert.Equal(("1", "2"), (Value(again.Map, "a"), Value(again.Map, "b")));
        // What it held may have been a write of this node.
        Assert.NotEqual(node.Map.Origin, again.Map.Origin);
        Assert.Contains(_said, line => line.Contains("cannot be read", StringComparison.Ordinal));
        Die(again);

        void InsertAfterFirst(byte[] body)
        {
            var file = Directory.GetFiles(Folder, "*.log").Order().Last();
            var log = File.ReadAllBytes(file);
            var first = 8 + System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(log);
            var head = new byte[8];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(head, body.Length);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(
                head.AsSpan(4),
                System.IO.Hashing.Crc32.HashToUInt32(body)
            );
            File.WriteAllBytes(file, [.. log[..first], .. head, .. body, .. log[first..]]);
        }
    }

    [Fact]
    public void After_a_flipped_bit_in_the_log_the_node_takes_a_new_name_as_writes_of_the_old_one_may_be_lost()
    {
        var node = Start();
        Put(node, "a", "1");
        Put(node, "b", "2");
        Die(node);
        var log = Directory.GetFiles(Folder, "*.log").Single();
        var bytes = File.ReadAllBytes(log);
        bytes[^20] ^= 1;
        File.WriteAllBytes(log, bytes);

        var again = Start();

        Assert.Equal("1", Value(again.Map, "a"));
        Assert.NotEqual(node.Map.Origin, again.Map.Origin);
        Assert.Equal(0ul, again.Map.Counter);
        Die(again);
    }

    [Fact]
    public void After_the_machine_was_restarted_without_a_clean_stop_the_node_takes_a_new_name()
    {
        var node = Start();
        Put(node, "a", "1");
        Die(node);
        var file = Path.Combine(Folder, "origin.json");
        var record = JsonNode.Parse(File.ReadAllText(file))!;
        record["system_run"] = "another";
        File.WriteAllText(file, record.ToJsonString());

        var again = Start();

        Assert.NotEqual(node.Map.Origin, again.Map.Origin);
        Assert.Equal("1", Value(again.Map, "a"));
        again.Journal.Close();
        Die(again);
        record = JsonNode.Parse(File.ReadAllText(file))!;
        record["system_run"] = "yet another";
        File.WriteAllText(file, record.ToJsonString());
        var third = Start();
        Assert.Equal(again.Map.Origin, third.Map.Origin);
        Die(third);
    }

    [Fact]
    public void Ten_snapshots_are_kept_and_only_the_logs_that_they_need()
    {
        var node = Start();
        for (var i = 0; i < 14; i++)
        {
            Put(node, "k" + i, "v");
            Snapshot(node);
        }

        Assert.Equal(10, node.Journal.List().Count);
        Assert.All(node.Journal.List(), snapshot => Assert.Null(snapshot.Problem));
        Assert.Equal(10, Directory.GetFiles(Folder, "*.log").Length);
        Die(node);
    }

    [Fact]
    public void Two_processes_do_not_share_a_folder()
    {
        var node = Start();

        var refused = Assert.Throws<StartupException>(() => StateFolder.Open(_node));

        Assert.Contains("GALAXY_DATA", refused.Message, StringComparison.Ordinal);
        Die(node);
    }

    [Fact]
    public void Without_a_usable_folder_the_state_is_kept_in_memory_and_that_is_said()
    {
        var file = Path.Combine(_node.DataFolder, "file");
        File.WriteAllText(file, "");
        var folder = StateFolder.Open(_node with { DataFolder = Path.Combine(file, "below") });
        using var journal = new StateJournal(folder, _node, TimeProvider.System, new Listener(_said));
        var map = journal.Load(new StateLimits());
        journal.Append(map.Put("ns", "k", new byte[1], 1));

        Assert.Null(journal.NextLog());
        Assert.Contains(_said, line => line.Contains("in memory only", StringComparison.Ordinal));
    }

    private sealed class Listener(List<string> said) : ILogger<StateJournal>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => NullLogger.Instance.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => said.Add(formatter(state, exception));
    }
}
