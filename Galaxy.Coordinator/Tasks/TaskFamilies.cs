namespace Galaxy.Coordinator.Tasks;

/// <summary>
/// Open tasks that hang together, by parts or by dependencies, and what each such family takes in the store: whatever
/// ends one of them may end all in one turn of the engine, which is one write. A union-find; a task that nothing hangs
/// on is not in it. Not thread-safe.
/// </summary>
internal sealed class TaskFamilies
{
    private sealed record Family(long Bytes, int Open, List<string> Members);

    private readonly Dictionary<string, string> _above = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _bytes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Family> _families = new(StringComparer.Ordinal);

    public bool Contains(string taskId) => _bytes.ContainsKey(taskId);

    /// <summary>What the task's family takes; 0: it is in none.</summary>
    public long BytesOf(string taskId) => Root(taskId) is { } root ? _families[root].Bytes : 0;

    /// <summary>
    /// What the families of these tasks take together, each counted once; tasks that are in none take nothing.
    /// </summary>
    public long BytesOf(IEnumerable<string> taskIds) =>
        taskIds.Select(Root).OfType<string>().Distinct(StringComparer.Ordinal).Sum(root => _families[root].Bytes);

    /// <summary>A task, alone at first.</summary>
    public void Add(string taskId, long bytes)
    {
        if (!_above.TryAdd(taskId, taskId))
            return;
        _bytes[taskId] = bytes;
        _families[taskId] = new Family(bytes, 1, [taskId]);
    }

    /// <summary>Two of them hang together from now on.</summary>
    public void Unite(string one, string other)
    {
        if (Root(one) is not { } first || Root(other) is not { } second || first == second)
            return;
        var (large, small) =
            _families[first].Members.Count >= _families[second].Members.Count ? (first, second) : (second, first);
        var (kept, gone) = (_families[large], _families[small]);
        _above[small] = large;
        kept.Members.AddRange(gone.Members);
        _families[large] = kept with { Bytes = kept.Bytes + gone.Bytes, Open = kept.Open + gone.Open };
        _families.Remove(small);
    }

    /// <summary>It is over. Its name stays until its whole family is, since others hang on it.</summary>
    public void Remove(string taskId)
    {
        if (!_bytes.Remove(taskId, out var bytes) || Root(taskId) is not { } root)
            return;
        var family = _families[root];
        if (family.Open > 1)
        {
            _families[root] = family with { Bytes = family.Bytes - bytes, Open = family.Open - 1 };
            return;
        }
        family.Members.ForEach(member => _above.Remove(member));
        _families.Remove(root);
    }

    public void Clear()
    {
        _above.Clear();
        _bytes.Clear();
        _families.Clear();
    }

    private string? Root(string taskId)
    {
        if (!_above.TryGetValue(taskId, out var root))
            return null;
        while (_above[root] != root)
            root = _above[root];
        // The next search is short.
        while (_above[taskId] != root)
            (taskId, _above[taskId]) = (_above[taskId], root);
        return root;
    }
}
