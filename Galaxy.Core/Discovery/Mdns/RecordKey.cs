using System.Text;

namespace Galaxy.Core.Discovery.Mdns;

/// <summary>
/// What makes two records the same one: name (case does not matter), type and data, but neither TTL nor cache-flush
/// bit.
/// </summary>
/// <param name="Data">The data's bytes, one per character: strings compare and hash by value.</param>
public readonly record struct RecordKey(string Name, DnsType Type, string Data)
{
    /// <exception cref="ArgumentException">The record cannot be written.</exception>
    public static RecordKey Of(DnsRecord record) =>
        new(Lower(record.Name), record.Type, Encoding.Latin1.GetString(DnsWriter.RawData(record)));

    /// <summary>
    /// Null for a record that cannot be written, with an empty label for instance: what others send may be so.
    /// </summary>
    public static RecordKey? TryOf(DnsRecord record)
    {
        try
        {
            return Of(record);
        }
        catch (Exception unwritable) when (unwritable is ArgumentException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>A name as it is compared: DNS ignores the case of ASCII letters only (RFC 6762, section 16).</summary>
    public static string Lower(string name) => string.Create(name.Length, name, (letters, from) =>
        {
            for (var i = 0; i < letters.Length; i++)
                letters[i] = from[i] is >= 'A' and <= 'Z' ? (char)(from[i] | 0x20) : from[i];
        });
}
