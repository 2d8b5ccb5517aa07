namespace Galaxy.OneApi.Dialects;

/// <summary><c>data:</c> addresses with base64 content (RFC 2397).</summary>
internal static class DataUrl
{
    public static bool TryRead(string address, out string mediaType, out string base64)
    {
        (mediaType, base64) = ("", "");
        if (
            !address.StartsWith("data:", StringComparison.OrdinalIgnoreCase)
            || address.IndexOf(',', StringComparison.Ordinal) is not (> 0 and var comma)
        )
            return false;
        var head = address.AsSpan(5, comma - 5);
        if (!head.EndsWith(";base64", StringComparison.OrdinalIgnoreCase))
            return false;
        var type = head[..^7];
        var parameters = type.IndexOf(';');
        mediaType = (parameters < 0 ? type : type[..parameters]).ToString();
        base64 = address[(comma + 1)..];
        return mediaType.Length > 0;
    }
}
