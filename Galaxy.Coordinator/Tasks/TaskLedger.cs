using System.Text.Json;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Tasks;

/// <summary>What the store keeps of the ledger beside its pages.</summary>
/// <param name="First">The oldest page.</param>
/// <param name="Last">The newest page; one less than <paramref name="First"/> when there is none.</param>
/// <param name="Low">No page before this one lists an open task that is not listed again later.</param>
/// <param name="Listed">Entries in all pages.</param>
internal sealed record LedgerIndex(long First, long Last, long Low, long Listed)
{
    public static LedgerIndex Empty { get; } = new(1, 0, 1, 0);

    /// <summary>Null: it cannot be read, or cannot be true.</summary>
    public static LedgerIndex? TryRead(string json)
    {
        try
        {
            // A page lists at least one task.
            return
                JsonSerializer.Deserialize<LedgerIndex>(json, GalaxyJson.Options) is { First: > 0 } index
                && index.Last >= index.First - 1
                && index.Low >= index.First
                && index.Low <= index.Last + 1
                && index.Listed > index.Last - index.First
                ? index
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>
/// In which order tasks came, as a log of pages: each turn that brings tasks writes one page with their ids, so that no
/// write grows with the number of tasks. A new leader reads the pages from <see cref="LedgerIndex.Low"/> on; a task
/// that stays open for long is listed again, so that this is never far back. Not thread-safe.
/// </summary>
internal sealed class TaskLedger
{
    /// <summary>So many pages a new leader may have to read; what is open further back is listed again.</summary>
    public const int LongestRead = 2000;

    private readonly SortedDictionary<long, HashSet<string>> _openByPage = [];
    private readonly Dictionary<string, long> _pageOf = new(StringComparer.Ordinal);

    public LedgerIndex Index { get; private set; } = LedgerIndex.Empty;

    public void Begin(LedgerIndex index, IEnumerable<(long Page, string TaskId)> open)
    {
        Index = index;
        _openByPage.Clear();
        _pageOf.Clear();
        foreach (var (page, taskId) in open)
            Put(page, taskId);
    }

    private void Put(long page, string taskId)
    {
        Remove(taskId);
        _pageOf[taskId] = page;
        if (!_openByPage.TryGetValue(page, out var ids))
            _openByPage[page] = ids = new HashSet<string>(StringComparer.Ordinal);
        ids.Add(taskId);
    }

    private void Remove(string taskId)
    {
        if (
            !_pageOf.Remove(taskId, out var page)
            || !_openByPage.TryGetValue(page, out var ids)
            || !ids.Remove(taskId)
            || ids.Count > 0
        )
            return;
        _openByPage.Remove(page);
    }

    /// <summary>A turn: tasks that are new, and tasks that are over.</summary>
    /// <returns>The page to write; null: none.</returns>
    public (long Page, IReadOnlyList<string> TaskIds)? Turn(IReadOnlyList<string> fresh, IEnumerable<string> over)
    {
        foreach (var taskId in over)
            Remove(taskId);
        List<string> listed = [.. fresh];
        if (_openByPage.Count > 0 && Index.Last - _openByPage.First().Key >= LongestRead)
            listed.AddRange(_openByPage.First().Value);
        if (listed.Count == 0)
        {
            Index = Index with { Low = Low };
            return null;
        }
        var page = Index.Last + 1;
        foreach (var taskId in listed)
            Put(page, taskId);
        Index = Index with { Last = page, Low = 0, Listed = Index.Listed + listed.Count };
        Index = Index with { Low = Low };
        return (page, listed);
    }

    /// <summary>Of tasks that are new and over at once.</summary>
    public void Close(IEnumerable<string> over)
    {
        foreach (var taskId in over)
            Remove(taskId);
        Index = Index with { Low = Low };
    }

    private long Low => _openByPage.Count > 0 ? _openByPage.First().Key : Index.Last + 1;

    /// <summary>The oldest page is gone.</summary>
    public void Drop(int entries) => Index = Index with { First = Index.First + 1, Listed = Index.Listed - entries };
}
