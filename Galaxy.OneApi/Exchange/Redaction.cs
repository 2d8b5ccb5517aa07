using System.Text;
using System.Text.RegularExpressions;

namespace Galaxy.OneApi.Exchange;

/// <summary>
/// Keeps keys out of what clients, logs and traces get to see: providers like to repeat a key that they refuse.
/// </summary>
internal static partial class Redaction
{
    public static string Clean(string message, string? key)
    {
        if (key is { Length: > 0 })
            message = message.Replace(key, "…", StringComparison.Ordinal);
        return LooksLikeKey().Replace(message, "…");
    }

    /// <summary>
    /// What is wrong with what a provider sent, without what it sent: the parser's own words quote it.
    /// </summary>
    public static string Reason(Exception bad) =>
        bad.GetType() == typeof(System.Text.Json.JsonException) || bad is InvalidDataException
            ? bad.Message
            : "it is not JSON";

    public static bool Contains(ReadOnlySpan<byte> body, string key) =>
        key.Length > 0 && body.IndexOf(Encoding.UTF8.GetBytes(key)) >= 0;

    // Also half-hidden ones, as sk-abc***xyz.
    [GeneratedRegex(@"\b(sk|gsk|xai|pplx|gxk|AIza)[-_][A-Za-z0-9_*.\-]{8,}|\bAIza[A-Za-z0-9_\-]{16,}")]
    private static partial Regex LooksLikeKey();
}
