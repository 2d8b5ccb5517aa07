using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Galaxy.Core.Discovery.Ssdp;

/// <summary>
/// An SSDP message: an HTTP-shaped start line with headers (UPnP Device Architecture 1.1, section 1).
/// </summary>
/// <param name="StartLine">For instance <c>M-SEARCH * HTTP/1.1</c>.</param>
/// <param name="Headers">Names are case-insensitive.</param>
public sealed record SsdpMessage(string StartLine, IReadOnlyDictionary<string, string> Headers)
{
    public const string SearchLine = "M-SEARCH * HTTP/1.1";
    public const string NotifyLine = "NOTIFY * HTTP/1.1";
    public const string OkLine = "HTTP/1.1 200 OK";

    private const int MaxBytes = 4096;
    private const int MaxHeaders = 64;

    public bool IsSearch => StartLine.StartsWith("M-SEARCH ", StringComparison.OrdinalIgnoreCase);
    public bool IsNotify => StartLine.StartsWith("NOTIFY ", StringComparison.OrdinalIgnoreCase);
    public bool IsResponse => StartLine.StartsWith("HTTP/1.1 200", StringComparison.OrdinalIgnoreCase);

    public string? this[string header] => Headers.GetValueOrDefault(header);

    public static SsdpMessage Create(string startLine, params (string Name, string Value)[] headers) =>
        new(startLine, headers.ToDictionary(h => h.Name, h => h.Value, StringComparer.OrdinalIgnoreCase));

    /// <summary>False, never an exception, when the bytes are not such a message.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SsdpMessage? message)
    {
        message = null;
        if (bytes.Length is 0 or > MaxBytes)
            return false;
        var lines = Encoding.UTF8.GetString(bytes).Split('\n');
        var start = lines[0].TrimEnd('\r');
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var raw in lines.Skip(1))
        {
            var line = raw.TrimEnd('\r');
            if (line.Length == 0)
                break;
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || headers.Count == MaxHeaders)
                return false;
            headers[line[..colon].Trim()] = line[(colon + 1)..].Trim();
        }
        message = new SsdpMessage(start, headers);
        return message.IsSearch || message.IsNotify || message.IsResponse;
    }

    public byte[] ToBytes()
    {
        var text = new StringBuilder(StartLine).Append("\r\n");
        foreach (var (name, value) in Headers)
            text.Append(name).Append(": ").Append(value).Append("\r\n");
        return Encoding.UTF8.GetBytes(text.Append("\r\n").ToString());
    }
}
