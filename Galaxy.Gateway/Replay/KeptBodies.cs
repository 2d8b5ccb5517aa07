using System.Buffers;

namespace Galaxy.Gateway.Replay;

/// <summary>
/// Bodies that are kept so that they can be sent again, within a bound for all of them together. What does not fit is
/// forwarded as it comes, once. Thread-safe.
/// </summary>
internal sealed class KeptBodies
{
    /// <summary>Of one request.</summary>
    public const int Longest = 1024 * 1024;

    private const int PieceLength = 16 * 1024;
    private const long Most = 64 * 1024 * 1024;

    private long _kept;

    /// <summary>Bytes that are kept now.</summary>
    public long Kept => Volatile.Read(ref _kept);

    /// <summary>
    /// The body, read to its end; null when it is too long, there is no room, or its end cannot be waited for.
    /// </summary>
    public async ValueTask<KeptBody?> TryKeepAsync(HttpRequest request)
    {
        if (request.ContentLength is { } length)
            return length is > 0 and <= Longest && TryTake((int)length) ? await ReadAsync(request, (int)length) : null;
        // A stream may be one half of a conversation, whose other half would be waited for in vain. JSON has an end.
        return request.HasJsonContentType() ? await ReadUntoldAsync(request) : null;
    }

    private bool TryTake(int length)
    {
        if (Interlocked.Add(ref _kept, length) <= Most)
            return true;
        Return(length);
        return false;
    }

    private async Task<KeptBody> ReadAsync(HttpRequest request, int length)
    {
        // Not from a pool: a forwarding attempt that was cut off may still be reading when this is over.
        var bytes = GC.AllocateUninitializedArray<byte>(length);
        try
        {
            await request.Body.ReadExactlyAsync(bytes, request.HttpContext.RequestAborted);
            return new KeptBody(this, bytes, length);
        }
        catch
        {
            Return(length);
            throw;
        }
    }

    /// <summary>
    /// Null when it is longer than it may be, or there is no room for more of it; then what was read stands before the
    /// rest of it.
    /// </summary>
    private async Task<KeptBody?> ReadUntoldAsync(HttpRequest request)
    {
        var taken = 0;
        var piece = ArrayPool<byte>.Shared.Rent(PieceLength);
        try
        {
            // Room is taken as it comes: hundreds of small ones may be read at once.
            using var kept = new MemoryStream();
            while (await request.Body.ReadAsync(piece, request.HttpContext.RequestAborted) is > 0 and var read)
            {
                kept.Write(piece, 0, read);
                if (kept.Length <= Longest && TryTake(read))
                {
                    taken += read;
                    continue;
                }
                Return(taken);
                request.Body = new Prefixed(kept.ToArray(), request.Body);
                return null;
            }
            return new KeptBody(this, kept.ToArray(), taken);
        }
        catch
        {
            Return(taken);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    internal void Return(int length) => Interlocked.Add(ref _kept, -length);
}

/// <summary>One body. Not thread-safe.</summary>
internal sealed class KeptBody(KeptBodies owner, byte[] bytes, int taken) : IDisposable
{
    /// <summary>From its beginning.</summary>
    public Stream Open() => new MemoryStream(bytes, writable: false);

    public void Dispose() => owner.Return(taken);
}
