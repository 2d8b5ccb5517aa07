using System.IO.Compression;

namespace Galaxy.Console.Otlp;

internal sealed class BodyTooLargeException(string message) : Exception(message);

internal sealed class UnknownEncodingException(string message) : Exception(message);

/// <summary>The body of an export, unpacked, within a bound: a small archive can unpack to anything.</summary>
internal static class OtlpBody
{
    private const int MostBytes = 16 * 1024 * 1024;

    /// <exception cref="BodyTooLargeException">It has, or unpacks to, more than 16 MiB.</exception>
    /// <exception cref="UnknownEncodingException">It is packed in another way than gzip.</exception>
    /// <exception cref="InvalidDataException">It is not gzip, though it says so.</exception>
    public static async Task<byte[]> ReadAsync(HttpRequest request, CancellationToken cancellation)
    {
        var encoding = request.Headers.ContentEncoding.ToString();
        if (encoding is not ("" or "identity" or "gzip"))
            throw new UnknownEncodingException($"The content encoding is '{encoding}'; send gzip, or none.");
        await using var source =
            encoding == "gzip" ? new GZipStream(request.Body, CompressionMode.Decompress) : request.Body;
        using var body = new MemoryStream((int)Math.Clamp(request.ContentLength ?? 0, 0, MostBytes));
        var buffer = new byte[64 * 1024];
        while (await source.ReadAsync(buffer, cancellation) is > 0 and var count)
        {
            if (body.Length + count > MostBytes)
                throw new BodyTooLargeException(
                    $"The body unpacks to more than {MostBytes} bytes: export smaller batches."
                );
            body.Write(buffer, 0, count);
        }
        return body.ToArray();
    }
}
