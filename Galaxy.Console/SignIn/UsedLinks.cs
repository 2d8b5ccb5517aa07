using System.Collections.Concurrent;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Console.SignIn;

/// <summary>Takes each sign-in link once, also across restarts of this console. Thread-safe.</summary>
internal sealed partial class UsedLinks(NodeOptions node, TimeProvider time, ILogger<UsedLinks> log)
{
    private readonly ConcurrentDictionary<string, bool> _used = new(
        Read(FileOf(node)).Select(nonce => KeyValuePair.Create(nonce, true)),
        StringComparer.Ordinal
    );
    private readonly Lock _gate = new();

    /// <summary>True for the first caller that shows a valid link.</summary>
    public bool TryUse(string? code)
    {
        if (
            node.ApiKey is not { } key
            || (
                SignInLink.Read(code, key, time.GetUtcNow())
                ?? (node.OtherApiKey is { } other ? SignInLink.Read(code, other, time.GetUtcNow()) : null)
            )
                is not { } nonce
            || !_used.TryAdd(nonce, true)
        )
            return false;
        lock (_gate)
        {
            try
            {
                Directory.CreateDirectory(node.DataFolder);
                File.AppendAllText(FileOf(node), nonce + "\n");
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                LogNotKept(failure.Message);
            }
        }
        return true;
    }

    private static string FileOf(NodeOptions node) => Path.Combine(node.DataFolder, $"{node.NodeId}.used-links");

    private static string[] Read(string file)
    {
        try
        {
            return File.Exists(file) ? [.. File.ReadAllLines(file).Where(line => line.Length > 0).Distinct()] : [];
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "A used sign-in link could not be written down, so that it may be used again after a "
            + "restart: {Reason}"
    )]
    private partial void LogNotKept(string reason);
}
