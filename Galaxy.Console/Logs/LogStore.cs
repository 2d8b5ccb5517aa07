namespace Galaxy.Console.Logs;

/// <summary>A query for log records.</summary>
/// <param name="Level">At least this one; null: all.</param>
/// <param name="Text">Part of the message, whatever its case.</param>
public sealed record LogQuery(
    string? Level = null,
    string? Service = null,
    string? Text = null,
    string? TraceId = null
);

/// <summary>The newest log records, in bounded memory: the oldest go first. Thread-safe.</summary>
public sealed class LogStore
{
    public const int MostRecords = 20_000;
    private const long MostBytes = 32 * 1024 * 1024;
    private const int Overhead = 160;

    private readonly Lock _gate = new();
    private readonly Queue<LogView> _records = new();
    private readonly SortedDictionary<string, int> _services = new(StringComparer.Ordinal);
    private long _bytes;
    private long _number;

    /// <summary>Raised after records came in; handlers must be quick.</summary>
    public event Action? Changed;

    /// <summary>The services that have records here.</summary>
    public IReadOnlyList<string> Services
    {
        get
        {
            lock (_gate)
                return [.. _services.Keys];
        }
    }

    public void Add(IEnumerable<LogView> records)
    {
        lock (_gate)
        {
            foreach (var record in records)
            {
                _records.Enqueue(record with { Number = ++_number });
                _services[record.Service] = _services.GetValueOrDefault(record.Service) + 1;
                _bytes += SizeOf(record);
            }
            while (_records.Count > MostRecords || _bytes > MostBytes)
                Forget(_records.Dequeue());
        }
        Changed?.Invoke();
    }

    private void Forget(LogView record)
    {
        _bytes -= SizeOf(record);
        if (--_services[record.Service] == 0)
            _services.Remove(record.Service);
    }

    /// <summary>The newest first.</summary>
    public IReadOnlyList<LogView> List(int count, LogQuery query)
    {
        var least = query.Level is null ? 0 : LogLevels.Rank(query.Level);
        lock (_gate)
        {
            return
            [
                .. _records
                    .Reverse()
                    .Where(record =>
                        LogLevels.Rank(record.Level) >= least
                        && (query.Service is null || record.Service == query.Service)
                        && (query.TraceId is null || record.TraceId == query.TraceId)
                        && (
                            query.Text is null
                            || record.Message.Contains(query.Text, StringComparison.OrdinalIgnoreCase)
                        )
                    )
                    .Take(count),
            ];
        }
    }

    // Names are shared; messages and values are not.
    private static int SizeOf(LogView record) =>
        Overhead + 2 * record.Message.Length + record.Attributes.Sum(pair => 16 + 2 * pair.Value.Length);
}
