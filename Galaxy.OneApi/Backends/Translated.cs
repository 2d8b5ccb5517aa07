using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Exchange;

namespace Galaxy.OneApi.Backends;

/// <summary>An answer in another dialect than the client's, or in none: each step is written anew.</summary>
internal sealed class Translated : IExchange
{
    private readonly ClientDialect _client;
    private readonly Conversation _asked;
    private readonly IAsyncEnumerator<AnswerEvent>? _steps;
    private readonly List<AnswerEvent> _held = [];
    private readonly Answer? _answer;
    private readonly IAsyncDisposable? _owned;
    private IEnumerable<AnswerEvent> _pieces = [];

    private Translated(
        ClientDialect client,
        Conversation asked,
        IAsyncEnumerator<AnswerEvent>? steps,
        Answer? answer,
        IAsyncDisposable? owned,
        HttpResponseMessage? head
    ) => (_client, _asked, _steps, _answer, _owned, Head) = (client, asked, steps, answer, owned, head);

    public HttpResponseMessage? Head { get; }

    public Usage? Usage { get; private set; }

    public int Pieces { get; private set; }

    public bool IsWhole => _answer is not null && !_asked.Stream;

    /// <summary>A whole answer, streamed to the client if it wants that.</summary>
    /// <param name="steps">The pieces in which it is streamed; null: as few as there are.</param>
    public static Translated Of(
        Answer answer,
        ClientDialect client,
        Conversation asked,
        IAsyncDisposable? owned = null,
        HttpResponseMessage? head = null,
        IEnumerable<AnswerEvent>? steps = null
    ) =>
        new(client, asked, null, answer, owned, head)
        {
            Usage = answer.Usage,
            _pieces = steps ?? AnswerEvents.Of(answer),
        };

    /// <summary>Returns when the first token is there.</summary>
    /// <exception cref="UpstreamException">It ended or failed before.</exception>
    public static async Task<Translated> BeginAsync(
        IAsyncEnumerable<AnswerEvent> steps,
        string provider,
        ClientDialect client,
        Conversation asked,
        IAsyncDisposable? owned,
        HttpResponseMessage? head,
        CancellationToken cancellation
    )
    {
        var exchange = new Translated(client, asked, steps.GetAsyncEnumerator(cancellation), null, owned, head);
        try
        {
            while (await exchange._steps!.MoveNextAsync())
            {
                var step = exchange._steps.Current;
                if (step is Broke broke)
                    throw new UpstreamException(broke.Error);
                exchange._held.Add(step);
                if (step is not (Began or UsageCame or Cited))
                    return exchange;
            }
            throw new UpstreamException(
                new ModelError(
                    ErrorKind.Upstream,
                    $"The provider '{provider}' ended its stream before the first token."
                )
            );
        }
        catch
        {
            await exchange._steps!.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// The steps of a provider's stream. What is no such stream throws <see cref="UpstreamException"/>.
    /// </summary>
    public static async IAsyncEnumerable<AnswerEvent> ReadAsync(
        UpstreamCall call,
        string provider,
        ProviderDialect dialect,
        [EnumeratorCancellation] CancellationToken cancellation = default
    )
    {
        var reader = dialect.Stream();
        using var frames = new SseFrames();
        var buffer = ArrayPool<byte>.Shared.Rent(4 * 1024);
        var (hasFinished, hasEnded) = (false, false);
        try
        {
            while (!hasEnded && await call.ReadAsync(buffer) is > 0 and var read)
            {
                cancellation.ThrowIfCancellationRequested();
                foreach (var step in Read(frames, reader, buffer.AsSpan(0, read), provider))
                {
                    hasFinished |= step is Finished;
                    hasEnded |= step is Ended;
                    yield return step;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (hasEnded)
            yield break;
        // Not every dialect has a word for the end; a reason to stop is one.
        yield return hasFinished
            ? new Ended()
            : new Broke(
                new ModelError(ErrorKind.Upstream, $"The provider '{provider}' ended its stream in the middle.")
            );
    }

    private static List<AnswerEvent> Read(
        SseFrames frames,
        IAnswerReader reader,
        ReadOnlySpan<byte> bytes,
        string provider
    )
    {
        try
        {
            List<AnswerEvent> steps = [];
            frames.Add(bytes);
            while (frames.TryTake(out var frame))
            {
                if (SseFrames.DataOf(frame) is { Length: > 0 } data)
                    steps.AddRange(reader.Read(data));
            }
            return steps;
        }
        catch (Exception bad) when (bad is JsonException or InvalidDataException or InvalidOperationException)
        {
            throw new UpstreamException(
                new ModelError(
                    ErrorKind.Upstream,
                    $"The provider '{provider}' sent what is no stream of answers: {Redaction.Reason(bad)}"
                )
            );
        }
    }

    public async Task WriteAsync(HttpContext context, CancellationToken cancellation)
    {
        if (_answer is not null && !_asked.Stream)
        {
            await context.Response.WriteAsync(_client.Write(_answer, _asked).ToJsonString(Sse.Json), cancellation);
            return;
        }
        var output = context.Response.BodyWriter;
        var writer = _client.Stream(_asked);
        foreach (var step in _answer is null ? _held : _pieces)
        {
            Write(writer, step, output);
            // Each piece is told when it comes, as other providers do.
            if (_answer is not null)
                await output.FlushAsync(cancellation);
        }
        await output.FlushAsync(cancellation);
        while (_steps is not null && await NextAsync())
        {
            if (_steps.Current is Broke broke)
                throw new BrokeOffException(broke.Error);
            Write(writer, _steps.Current, output);
            await output.FlushAsync(cancellation);
        }
    }

    private async Task<bool> NextAsync()
    {
        try
        {
            return await _steps!.MoveNextAsync();
        }
        catch (UpstreamException failure)
        {
            throw new BrokeOffException(failure.Error);
        }
    }

    private void Write(IAnswerWriter writer, AnswerEvent step, IBufferWriter<byte> output)
    {
        if (step is UsageCame usage)
            Usage = usage.Usage;
        else if (step is TextCame or ThinkingCame or ArgumentsCame)
            Pieces++;
        writer.Write(step, output);
    }

    public async ValueTask DisposeAsync()
    {
        if (_steps is not null)
            await _steps.DisposeAsync();
        if (_owned is not null)
            await _owned.DisposeAsync();
    }
}
