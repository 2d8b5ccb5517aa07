using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Galaxy.Console.Otlp;

/// <summary>
/// A few names with values in one array: tens of thousands of spans have a handful each, which a hash table of their
/// own would make ten times as large.
/// </summary>
internal sealed class CompactAttributes(KeyValuePair<string, string>[] pairs) : IReadOnlyDictionary<string, string>
{
    public static CompactAttributes Empty { get; } = new([]);

    public int Count => pairs.Length;

    public IEnumerable<string> Keys => pairs.Select(pair => pair.Key);

    public IEnumerable<string> Values => pairs.Select(pair => pair.Value);

    public string this[string key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException(key);

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value)
    {
        foreach (var pair in pairs)
        {
            if (pair.Key == key)
            {
                value = pair.Value;
                return true;
            }
        }
        value = null;
        return false;
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() =>
        ((IEnumerable<KeyValuePair<string, string>>)pairs).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>
/// The same short text is kept once. Bounded: when full, it forgets all and begins anew. Thread-safe.
/// </summary>
internal static class StringPool
{
    private const int Most = 20_000;
    private const int Longest = 64;
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string, string> Known = new(
        StringComparer.Ordinal
    );
    private static int _count;

    public static string Of(string text)
    {
        if (text.Length is 0 or > Longest)
            return text.Length == 0 ? "" : text;
        if (Known.TryGetValue(text, out var known))
            return known;
        if (Interlocked.Increment(ref _count) > Most)
        {
            Known.Clear();
            Interlocked.Exchange(ref _count, 1);
        }
        return Known.GetOrAdd(text, text);
    }
}
