using System.Globalization;
using Galaxy.Contracts.State;
using Galaxy.Core.Clocks;
using Galaxy.Core.State;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Replica;

/// <summary>A snapshot on this node's disk.</summary>
/// <param name="Name">The file's name: its number, which grows.</param>
/// <param name="Problem">Null: whole. Otherwise how it is damaged.</param>
internal sealed record SnapshotInfo(
    string Name,
    DateTimeOffset TakenAt,
    long Bytes,
    int Entries,
    string Sha256,
    string? Problem
);

/// <summary>
/// The replicated state on this node's disk: the last ten snapshots, each with the log of what this node wrote after
/// it. A node starts from the newest snapshot that is whole and the logs since; what others wrote meanwhile comes by
/// gossip. Thread-safe.
/// </summary>
internal sealed partial class StateJournal : IDisposable
{
    private const int Kept = 10;
    private const string SnapshotSuffix = ".snapshot";
    private const string LogSuffix = ".log";

    private readonly Lock _gate = new();
    private readonly StateFolder _folder;
    private readonly NodeOptions _node;
    private readonly TimeProvider _time;
    private readonly ILogger<StateJournal> _log;
    private readonly OpenFile _open;
    private WriteAheadLog? _writes;
    private string? _origin;

    /// <param name="open">How files are opened: a test counts what reaches the disk.</param>
    public StateJournal(
        StateFolder folder,
        NodeOptions node,
        TimeProvider time,
        ILogger<StateJournal> log,
        OpenFile? open = null
    )
    {
        (_folder, _node, _time, _log, _open) = (folder, node, time, log, open ?? DurableFile.Open);
        if (folder.Problem is { } problem)
            LogMemoryOnly(problem);
    }

    /// <summary>The state as it was, or an empty one. Call once.</summary>
    public ReplicatedMap Load(StateLimits limits)
    {
        lock (_gate)
        {
            var whole = true;
            var snapshot = _folder.Path is null ? null : NewestWhole();
            var logs = new List<LogRecord>();
            var first = snapshot?.Number ?? 0;
            foreach (var number in Numbers(LogSuffix).Where(number => number >= first).Order())
            {
                var written = ReadLog(number, ref whole);
                logs.AddRange(written);
                whole &= written.TrueForAll(record => record.Entry?.FromWire() is not null || record.Entry is null);
            }
            // Without the snapshot that the oldest log continues, or without any where some were: something is missing.
            if (snapshot is null && (Numbers(SnapshotSuffix).Any() || Numbers(LogSuffix).DefaultIfEmpty(0).Min() > 0))
                whole = false;
            _origin = _folder.TakeOrigin(whole);
            var map = new ReplicatedMap(_origin, limits);
            if (snapshot is { } found)
            {
                map.Load(
                    found.Body.Entries.Select(entry => entry.FromWire()).OfType<StateEntry>(),
                    found.Body.Summary.ToVector(),
                    found.Body.Pruned.ToVector(),
                    new Hlc(found.Body.HlcPhysicalMs, found.Body.HlcLogical)
                );
            }
            var pruned = map.Pruned;
            foreach (var record in logs)
            {
                pruned = pruned.Merge(record.Pruned.ToVector());
                if (record.Entry?.FromWire() is { } written)
                    map.Apply(written, pruned);
            }
            map.Continue();
            OpenLog(Numbers(LogSuffix).Concat(Numbers(SnapshotSuffix)).DefaultIfEmpty(0).Max());
            if (map.Count > 0)
                LogLoaded(
                    map.Count,
                    snapshot is null ? "no snapshot" : $"snapshot {snapshot.Value.Number}",
                    logs.Count
                );
            return map;
        }
    }

    /// <summary>Makes a write of this node survive its process.</summary>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public void Append(StateEntry entry)
    {
        lock (_gate)
            _writes?.Append(new LogRecord { Entry = entry.ToWire() });
    }

    /// <summary>Notes how far this node has compacted: the writes that follow need not say what was dropped.</summary>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public void AppendPruned(VersionVector pruned)
    {
        var record = new LogRecord();
        record.Pruned.AddRange(pruned.Dots.Select(dot => dot.ToWire()));
        lock (_gate)
            _writes?.Append(record);
    }

    /// <summary>Sends what was appended to the disk itself.</summary>
    public void Sync()
    {
        lock (_gate)
            _writes?.Sync();
    }

    /// <summary>
    /// Starts the next log and returns its number, under which a snapshot of this very moment is to be written; null
    /// when there is no folder.
    /// </summary>
    public long? NextLog()
    {
        if (_folder.Path is null)
            return null;
        lock (_gate)
        {
            var number = Numbers(LogSuffix).Concat(Numbers(SnapshotSuffix)).DefaultIfEmpty(0).Max() + 1;
            OpenLog(number);
            return number;
        }
    }

    /// <summary>Writes a snapshot; the oldest go, and the logs that only they needed.</summary>
    /// <param name="number">From <see cref="NextLog"/>.</param>
    /// <exception cref="IOException">The disk is full or fails: the earlier snapshots and all logs stay.</exception>
    public SnapshotInfo Write(long number, Snapshot snapshot)
    {
        var bytes = SnapshotFile.Encode(snapshot);
        DurableFile.Write(FileOf(number, SnapshotSuffix), bytes, _open);
        lock (_gate)
        {
            foreach (var old in Numbers(SnapshotSuffix).OrderDescending().Skip(Kept))
                File.Delete(FileOf(old, SnapshotSuffix));
            var oldest = Numbers(SnapshotSuffix).Min();
            foreach (var old in Numbers(LogSuffix).Where(old => old < oldest))
                File.Delete(FileOf(old, LogSuffix));
        }
        return Info(number, bytes, snapshot);
    }

    /// <summary>Those on disk, newest first.</summary>
    public IReadOnlyList<SnapshotInfo> List()
    {
        lock (_gate)
        {
            return
            [
                .. Numbers(SnapshotSuffix)
                    .OrderDescending()
                    .Select(number =>
                    {
                        var bytes = File.ReadAllBytes(FileOf(number, SnapshotSuffix));
                        try
                        {
                            return Info(number, bytes, SnapshotFile.Decode(bytes));
                        }
                        catch (InvalidDataException bad)
                        {
                            return new SnapshotInfo(
                                Name(number),
                                File.GetLastWriteTimeUtc(FileOf(number, SnapshotSuffix)),
                                bytes.Length,
                                0,
                                "",
                                bad.Message
                            );
                        }
                    }),
            ];
        }
    }

    /// <summary>The snapshot of that name; null when there is none.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public Snapshot? Read(string name)
    {
        lock (_gate)
        {
            return Numbers(SnapshotSuffix)
                .Where(number => Name(number) == name)
                .Select(number => SnapshotFile.Decode(File.ReadAllBytes(FileOf(number, SnapshotSuffix))))
                .FirstOrDefault();
        }
    }

    /// <summary>Call when nothing will be written any more and a last snapshot is on the disk.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _writes?.Sync();
            _writes?.Dispose();
            _writes = null;
            if (_origin is not null)
                _folder.MarkClean(_origin);
        }
    }

    private (long Number, Snapshot Body)? NewestWhole()
    {
        foreach (var number in Numbers(SnapshotSuffix).OrderDescending())
        {
            try
            {
                return (number, SnapshotFile.Decode(File.ReadAllBytes(FileOf(number, SnapshotSuffix))));
            }
            catch (Exception bad) when (bad is InvalidDataException or IOException)
            {
                LogDamaged(FileOf(number, SnapshotSuffix), bad.Message);
            }
        }
        return null;
    }

    private List<LogRecord> ReadLog(long number, ref bool whole)
    {
        var file = FileOf(number, LogSuffix);
        var records = WriteAheadLog.Read(file, out var damagedAt, out var unfinished, out var unreadable);
        if (unreadable > 0)
        {
            whole = false;
            LogUnreadable(file, unreadable);
        }
        if (damagedAt < 0)
            return records;
        // A write that was cut off by the end of the process was never acknowledged. Damage elsewhere is a loss.
        if (!unfinished)
        {
            whole = false;
            LogDamaged(file, $"a record at byte {damagedAt} does not match its checksum");
        }
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Write);
        stream.SetLength(damagedAt);
        return records;
    }

    private void OpenLog(long number)
    {
        if (_folder.Path is null)
            return;
        _writes?.Sync();
        _writes?.Dispose();
        _writes = new WriteAheadLog(FileOf(number, LogSuffix), _open);
    }

    private IEnumerable<long> Numbers(string suffix) =>
        _folder.Path is null
            ? []
            : Directory
                .EnumerateFiles(_folder.Path, "*" + suffix)
                .Select(file =>
                    long.TryParse(
                        Path.GetFileNameWithoutExtension(file),
                        NumberStyles.None,
                        CultureInfo.InvariantCulture,
                        out var number
                    )
                        ? number
                        : -1
                )
                .Where(number => number >= 0);

    private static string Name(long number) => number.ToString("D8", CultureInfo.InvariantCulture);

    private string FileOf(long number, string suffix) => Path.Combine(_folder.Path!, Name(number) + suffix);

    private static SnapshotInfo Info(long number, byte[] file, Snapshot body) =>
        new(
            Name(number),
            UnixTime.At(body.TakenUnixMs),
            file.Length,
            body.Entries.Count,
            SnapshotFile.Hash(file),
            null
        );

    /// <summary>The body of a snapshot.</summary>
    public Snapshot BodyOf(
        string origin,
        IEnumerable<StateEntry> entries,
        VersionVector summary,
        VersionVector pruned,
        Hlc clock
    )
    {
        var body = new Snapshot
        {
            Cluster = _node.Cluster,
            NodeId = _node.NodeId,
            Origin = origin,
            TakenUnixMs = _time.GetUtcNow().ToUnixTimeMilliseconds(),
            HlcPhysicalMs = clock.PhysicalMs,
            HlcLogical = clock.Logical,
        };
        body.Summary.AddRange(summary.Dots.Select(dot => dot.ToWire()));
        body.Pruned.AddRange(pruned.Dots.Select(dot => dot.ToWire()));
        body.Entries.AddRange(entries.Select(entry => entry.ToWire()));
        return body;
    }

    public void Dispose() => _writes?.Dispose();

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The replicated state is kept in memory only: {Reason}. Set GALAXY_DATA to a folder that can "
            + "be written."
    )]
    private partial void LogMemoryOnly(string reason);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "{File} is damaged and was passed over: {Reason}. What it held is fetched from the other "
            + "coordinators."
    )]
    private partial void LogDamaged(string file, string reason);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "{Count} records in {File} cannot be read and were passed over. What they held is fetched from the "
            + "other coordinators."
    )]
    private partial void LogUnreadable(string file, int count);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Count} entries of the replicated state from {Snapshot} and {Writes} writes after it"
    )]
    private partial void LogLoaded(int count, string snapshot, int writes);
}
