using System.Security.Cryptography;
using System.Text.Json;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Coordinator.Replica;

/// <summary>
/// <c>GALAXY_DATA/state</c>: one process at a time, and the name under which this node writes. The name is kept as long
/// as nothing can have been lost: after a clean stop, or when the same run of the operating system still has what was
/// written. Otherwise a new one is taken, so that a write which others have seen and this disk has lost is never
/// confused with a new one.
/// </summary>
internal sealed class StateFolder : IDisposable
{
    private const string OriginFile = "origin.json";
    private readonly FileStream? _lock;
    private readonly string _nodeId;

    private StateFolder(string nodeId, string? path, FileStream? handle) =>
        (_nodeId, Path, _lock) = (nodeId, path, handle);

    /// <summary>Null when the folder cannot be used: state is then kept in memory only.</summary>
    public string? Path { get; }

    /// <summary>Why it cannot be used.</summary>
    public string? Problem { get; private init; }

    /// <exception cref="StartupException">Another process uses it.</exception>
    public static StateFolder Open(NodeOptions node)
    {
        var path = System.IO.Path.Combine(node.DataFolder, "state");
        try
        {
            Directory.CreateDirectory(path);
            return new StateFolder(
                node.NodeId,
                path,
                new FileStream(
                    System.IO.Path.Combine(path, "lock"),
                    FileMode.OpenOrCreate,
                    FileAccess.ReadWrite,
                    FileShare.None
                )
            );
        }
        catch (IOException failure) when (Directory.Exists(path))
        {
            throw new StartupException(
                $"The folder {path} is used by another process: give each node its own GALAXY_DATA, or "
                    + $"stop the other one. ({failure.Message})",
                failure
            );
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return new StateFolder(node.NodeId, null, null) { Problem = failure.Message };
        }
    }

    /// <param name="whole">False when part of what was written is known to be missing.</param>
    public string TakeOrigin(bool whole)
    {
        if (Path is null)
            return NewOrigin();
        var file = System.IO.Path.Combine(Path, OriginFile);
        var known = whole ? Read(file) : null;
        var origin =
            known is not null && (known.Clean || (known.SystemRun is { } run && run == SystemRun()))
                ? known.Origin
                : NewOrigin();
        Write(file, new Record(origin, SystemRun(), Clean: false));
        return origin;
    }

    /// <summary>Everything is on the disk.</summary>
    public void MarkClean(string origin)
    {
        if (Path is not null)
            Write(System.IO.Path.Combine(Path, OriginFile), new Record(origin, SystemRun(), Clean: true));
    }

    private string NewOrigin() => $"{_nodeId}~{RandomNumberGenerator.GetHexString(8, lowercase: true)}";

    private static Record? Read(string file)
    {
        try
        {
            return File.Exists(file)
                ? JsonSerializer.Deserialize<Record>(File.ReadAllBytes(file), GalaxyJson.Options)
                : null;
        }
        catch (Exception failure) when (failure is IOException or JsonException)
        {
            return null;
        }
    }

    private static void Write(string file, Record record) =>
        DurableFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(record, GalaxyJson.Options));

    // Changes with every start of the machine. Unknown elsewhere than on Linux: there only a clean stop counts.
    private static string? SystemRun()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Dispose() => _lock?.Dispose();

    private sealed record Record(string Origin, string? SystemRun, bool Clean);
}
