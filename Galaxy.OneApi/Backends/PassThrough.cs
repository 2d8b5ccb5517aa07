using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Providers;

namespace Galaxy.OneApi.Backends;

/// <summary>The same dialect in and out: the upstream's bytes reach the client as they come.</summary>
internal sealed class PassThrough : IExchange
{
    private readonly UpstreamCall _call;
    private readonly Provider _provider;
    private readonly StreamWatch? _watch;
    private readonly ArrayBufferWriter<byte> _held = new();
    private readonly byte[]? _whole;
    private readonly bool _hidesUsage;
    private string? _id;

    private PassThrough(UpstreamCall call, Provider provider, StreamWatch? watch, byte[]? whole, bool hidesUsage) =>
        (_call, _provider, _watch, _whole, _hidesUsage) = (call, provider, watch, whole, hidesUsage);

    public HttpResponseMessage? Head => _call.Response;

    public Usage? Usage { get; private set; }

    public int Pieces => _watch?.Pieces ?? 0;

    public bool IsWhole => _whole is not null;

    /// <summary>What the provider calls this answer.</summary>
    public string? ResponseId => _watch?.Id ?? _id;

    /// <summary>Returns when the first token is there, or the whole answer if it is not streamed.</summary>
    /// <param name="hidesUsage">This service asked for the usage in the stream, and keeps it from the client.</param>
    /// <exception cref="UpstreamException">It refused, failed, broke off, or is no answer.</exception>
    public static async Task<PassThrough> BeginAsync(
        UpstreamCall call,
        Provider provider,
        ProviderDialect dialect,
        bool stream,
        bool hidesUsage
    )
    {
        var isStream = stream && Upstream.IsEventStream(call.Response);
        if (!isStream)
        {
            var whole = await call.ReadAllAsync();
            // Transcriptions may be plain text, by the client's own wish.
            if (dialect.Proof is null)
                return new PassThrough(call, provider, null, whole, false);
            var (usage, id) = Skim(whole, provider, dialect);
            return new PassThrough(call, provider, null, whole, false) { Usage = usage, _id = id };
        }
        var exchange = new PassThrough(call, provider, new StreamWatch(dialect), null, hidesUsage);
        try
        {
            await exchange.HoldAsync();
            return exchange;
        }
        catch
        {
            exchange._watch!.Dispose();
            throw;
        }
    }

    /// <summary>As much of a whole answer as accounts need, without making objects of the rest.</summary>
    private static (Usage Usage, string? Id) Skim(byte[] whole, Provider provider, ProviderDialect dialect)
    {
        var reader = new Utf8JsonReader(whole);
        var isAnswer = false;
        string? id = null;
        var usage = default(Range);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw new JsonException("it is not an object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (isUsage, isId, isError) = (
                    reader.ValueTextEquals("usage"u8),
                    reader.ValueTextEquals("id"u8),
                    reader.ValueTextEquals("error"u8)
                );
                isAnswer |= reader.ValueTextEquals(dialect.Proof);
                reader.Read();
                if (isError && reader.TokenType == JsonTokenType.StartObject)
                    throw new UpstreamException(dialect.Error(500, JsonNode.Parse(whole)));
                if (isId && reader.TokenType == JsonTokenType.String)
                    id = reader.GetString();
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                if (isUsage)
                    usage = start..(int)reader.BytesConsumed;
            }
            while (reader.Read())
            {
                // To the end: a torn answer is none.
            }
            if (!isAnswer)
                throw new JsonException($"it has no '{dialect.Proof}'");
            return (dialect.ReadUsage(usage.Equals(default) ? null : JsonNode.Parse(whole.AsSpan(usage))), id);
        }
        catch (JsonException bad)
        {
            throw new UpstreamException(
                new ModelError(
                    ErrorKind.Upstream,
                    $"The provider '{provider.Name}' sent no answer: {Redaction.Reason(bad)}"
                )
            );
        }
    }

    // Events before the first token have no content, so they are held back: until then another provider may be asked.
    private async Task HoldAsync()
    {
        while (!_watch!.HasToken)
        {
            var read = await _call.ReadAsync(_held.GetMemory(4 * 1024));
            if (read == 0)
            {
                if (_watch.HasEnded)
                    return;
                throw new UpstreamException(
                    _watch.Error
                        ?? new ModelError(
                            ErrorKind.Upstream,
                            $"The provider '{_provider.Name}' ended its stream before the first token."
                        )
                );
            }
            var bytes = _held.GetMemory(read)[..read];
            _held.Advance(read);
            Observe(bytes.Span);
            if (_watch.Error is { } error && !_watch.HasToken)
                throw new UpstreamException(error);
        }
    }

    private void Observe(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _watch!.Add(bytes);
        }
        catch (Exception bad) when (bad is JsonException or InvalidDataException or InvalidOperationException)
        {
            // After the first token an unreadable event affects the usage accounts only, not the client.
            if (!_watch!.HasToken)
                throw new UpstreamException(
                    new ModelError(
                        ErrorKind.Upstream,
                        $"The provider '{_provider.Name}' sent what is no stream of answers: {Redaction.Reason(bad)}"
                    )
                );
        }
    }

    public async Task WriteAsync(HttpContext context, CancellationToken cancellation)
    {
        if (_whole is not null)
        {
            context.Response.ContentLength = _whole.Length;
            await context.Response.Body.WriteAsync(_whole, cancellation);
            return;
        }
        using var filter = _hidesUsage ? new SseFrames() : null;
        await ForwardAsync(context, _held.WrittenMemory, filter, cancellation);
        var buffer = ArrayPool<byte>.Shared.Rent(4 * 1024);
        try
        {
            while (await NextAsync(buffer) is > 0 and var read)
            {
                if (filter is null)
                    Observe(buffer.AsSpan(0, read));
                await ForwardAsync(context, buffer.AsMemory(0, read), filter, cancellation);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            Usage = _watch!.Usage;
        }
        if (_watch!.Error is { } told)
            throw new BrokeOffException(told) { IsTold = true };
        if (!_watch.HasEnded && !_watch.HasFinished)
            throw new BrokeOffException(
                new ModelError(ErrorKind.Upstream, $"The provider '{_provider.Name}' ended its stream in the middle.")
            );
    }

    private async Task<int> NextAsync(byte[] buffer)
    {
        try
        {
            return await _call.ReadAsync(buffer);
        }
        catch (UpstreamException failure) when (_watch!.HasEnded)
        {
            // The answer is complete, so the way in which the connection ends does not matter.
            _ = failure;
            return 0;
        }
        catch (UpstreamException failure)
        {
            throw new BrokeOffException(failure.Error);
        }
    }

    private async Task ForwardAsync(
        HttpContext context,
        ReadOnlyMemory<byte> bytes,
        SseFrames? filter,
        CancellationToken cancellation
    )
    {
        var writer = context.Response.BodyWriter;
        if (filter is null)
        {
            await writer.WriteAsync(bytes, cancellation);
            return;
        }
        filter.Add(bytes.Span);
        Filter(filter, writer);
        await writer.FlushAsync(cancellation);
    }

    private void Filter(SseFrames filter, IBufferWriter<byte> writer)
    {
        while (filter.TryTake(out var frame))
        {
            if (!IsOnlyUsage(frame))
                writer.Write(frame);
        }
    }

    private bool IsOnlyUsage(ReadOnlySpan<byte> frame)
    {
        try
        {
            return !_watch!.Look(frame);
        }
        catch (Exception bad) when (bad is JsonException or InvalidDataException or InvalidOperationException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _watch?.Dispose();
        await _call.DisposeAsync();
    }
}
