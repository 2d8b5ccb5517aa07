using System.Buffers;
using System.IO.Pipelines;

namespace Galaxy.Router.Invocation;

/// <summary>
/// The request body buffer. A short body is kept, so that it can be sent again; a long or slow one passes through and
/// can be sent once.
/// </summary>
internal sealed class RequestBody
{
    public const int MostKept = 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private readonly ReadOnlyMemory<byte> _kept;
    private readonly PipeReader? _rest;
    private bool _isSent;

    private RequestBody(ReadOnlyMemory<byte> kept, PipeReader? rest, string? contentType)
    {
        (_kept, _rest, ContentType) = (kept, rest, contentType);
    }

    public string? ContentType { get; }

    /// <summary>The whole body; null: it passes through.</summary>
    public ReadOnlyMemory<byte>? Whole => _rest is null ? _kept : default(ReadOnlyMemory<byte>?);

    /// <summary>It can be sent now, for the first time or again.</summary>
    public bool CanBeSent => _rest is null || !_isSent;

    /// <summary>It can be sent more than once.</summary>
    public bool CanBeRepeated => _rest is null;

    public static RequestBody Json(ReadOnlyMemory<byte> json) => new(json, null, "application/json");

    public static async Task<RequestBody> ReadAsync(HttpRequest request, CancellationToken cancellation)
    {
        if (request.ContentLength > MostKept)
            return new RequestBody(default, request.BodyReader, request.ContentType);
        var kept = new ArrayBufferWriter<byte>((int)(request.ContentLength ?? 256) + 1);
        // A length that was promised is waited for; a stream without one may go on for ever.
        using var patience = request.ContentLength is null
            ? CancellationTokenSource.CreateLinkedTokenSource(cancellation)
            : null;
        while (true)
        {
            ReadResult read;
            patience?.CancelAfter(Patience);
            try
            {
                read = await request.BodyReader.ReadAsync(patience?.Token ?? cancellation);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                return new RequestBody(kept.WrittenMemory, request.BodyReader, request.ContentType);
            }
            foreach (var piece in read.Buffer)
                kept.Write(piece.Span);
            request.BodyReader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return new RequestBody(kept.WrittenMemory, null, request.ContentType);
            if (kept.WrittenCount > MostKept)
                return new RequestBody(kept.WrittenMemory, request.BodyReader, request.ContentType);
        }
    }

    /// <summary>Null: there is none.</summary>
    public HttpContent? Content()
    {
        _isSent = true;
        HttpContent? content =
            _rest is not null ? new Passing(_kept, _rest)
            : _kept.Length > 0 ? new ReadOnlyMemoryContent(_kept)
            : null;
        if (ContentType is { Length: > 0 } type)
            content?.Headers.TryAddWithoutValidation("Content-Type", type);
        return content;
    }

    /// <summary>What is kept, and then what comes, as it comes.</summary>
    private sealed class Passing(ReadOnlyMemory<byte> kept, PipeReader rest) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(
            Stream stream,
            System.Net.TransportContext? context,
            CancellationToken cancellationToken
        )
        {
            await stream.WriteAsync(kept, cancellationToken);
            await stream.FlushAsync(cancellationToken);
            while (true)
            {
                var read = await rest.ReadAsync(cancellationToken);
                foreach (var piece in read.Buffer)
                    await stream.WriteAsync(piece, cancellationToken);
                rest.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return;
                await stream.FlushAsync(cancellationToken);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
