using System.Text;

namespace Galaxy.Core.Discovery;

/// <summary>The key=value strings of a DNS-SD TXT record (RFC 6763, section 6).</summary>
public static class ServiceTxt
{
    public const string ServiceType = "_ufo-galaxy._tcp.local.";

    /// <exception cref="ArgumentException">A pair is longer than the 255 bytes that a string may have.</exception>
    public static IReadOnlyList<byte[]> Write(IEnumerable<KeyValuePair<string, string>> pairs) =>
        [
            .. pairs.Select(pair =>
                Encoding.UTF8.GetBytes($"{pair.Key}={pair.Value}") is { Length: <= 255 } bytes
                    ? bytes
                    : throw new ArgumentException($"The TXT pair '{pair.Key}' is longer than 255 bytes.")
            ),
        ];

    /// <summary>
    /// The first value of each key; keys are case-insensitive; strings without a key are skipped, as the RFC asks.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Read(IEnumerable<byte[]> strings)
    {
        var pairs = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var text in strings.Select(Encoding.UTF8.GetString))
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? text : text[..equals];
            if (key.Length > 0)
                pairs.TryAdd(key, equals < 0 ? "" : text[(equals + 1)..]);
        }
        return pairs;
    }
}
