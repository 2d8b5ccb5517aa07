using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Providers;

namespace Galaxy.OneApi.Backends;

/// <summary>
/// One request to one provider: its head, its refusals, and its body read with a timeout. Not thread-safe.
/// </summary>
internal sealed class UpstreamCall : IAsyncDisposable
{
    /// <summary>A whole answer that is longer is not kept.</summary>
    private const int LongestAnswer = 64 * 1024 * 1024;

    private const int LongestRefusal = 64 * 1024;

    private readonly Provider _provider;
    private readonly CancellationTokenSource _ends;
    private readonly CancellationToken _caller;
    private Stream? _body;

    private UpstreamCall(Provider provider, CancellationToken caller)
    {
        (_provider, _caller) = (provider, caller);
        // When the client disconnects, its upstream request is cancelled.
        _ends = CancellationTokenSource.CreateLinkedTokenSource(caller);
    }

    public HttpResponseMessage Response { get; private set; } = null!;

    /// <param name="dialect">In which it refuses.</param>
    /// <exception cref="UpstreamException">It refused or cannot be reached.</exception>
    public static async Task<UpstreamCall> SendAsync(
        Upstream upstream,
        Provider provider,
        ProviderDialect dialect,
        string? key,
        string path,
        ReadOnlyMemory<byte> body,
        IHeaderDictionary? client,
        TimeProvider time,
        CancellationToken caller,
        string mediaType = "application/json"
    )
    {
        var call = new UpstreamCall(provider, caller);
        try
        {
            call.Response = await call.TryAsync(ends =>
                upstream.PostAsync(provider, key, path, body, mediaType, client, ends)
            );
            if (!call.Response.IsSuccessStatusCode)
                throw await call.RefusalAsync(dialect, key, time);
            return call;
        }
        catch
        {
            await call.DisposeAsync();
            throw;
        }
    }

    private async Task<T> TryAsync<T>(Func<CancellationToken, Task<T>> step)
    {
        _ends.CancelAfter(_provider.Patience);
        try
        {
            return await step(_ends.Token);
        }
        catch (OperationCanceledException) when (!_caller.IsCancellationRequested)
        {
            throw new UpstreamException(
                new ModelError(
                    ErrorKind.Timeout,
                    $"The provider '{_provider.Name}' sent nothing for {_provider.Patience.TotalSeconds:0.#} s."
                )
            );
        }
        catch (Exception failure)
            when (failure is HttpRequestException or IOException or SocketException && !_caller.IsCancellationRequested)
        {
            var reason = failure
                is HttpRequestException
                {
                    HttpRequestError: HttpRequestError.ConnectionError
                        or HttpRequestError.NameResolutionError
                        or HttpRequestError.SecureConnectionError
                }
                ? "could not be reached"
                : "broke off";
            throw new UpstreamException(
                new ModelError(ErrorKind.Upstream, $"The provider '{_provider.Name}' {reason}.")
            );
        }
        finally
        {
            // Only waiting for the provider counts: a client that reads slowly is no fault of it.
            _ends.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    private async Task<UpstreamException> RefusalAsync(ProviderDialect dialect, string? key, TimeProvider time)
    {
        var status = (int)Response.StatusCode;
        var body = await ReadAllAsync(LongestRefusal);
        JsonNode? json = null;
        try
        {
            json = JsonNode.Parse(body);
        }
        catch (JsonException)
        {
            // A page of some proxy in between.
        }
        var error = dialect.Error(status, json);
        if (Upstream.RetryAfter(Response, time) is { } after)
            error = error with { RetryAfter = after };
        if (error.Kind is ErrorKind.Authentication or ErrorKind.Permission)
            return new UpstreamException(
                new ModelError(
                    ErrorKind.Upstream,
                    $"The provider '{_provider.Name}' refused its key (status {status})."
                )
            )
            {
                IsRefusedKey = true,
            };
        error = error with
        {
            Message =
                json is JsonObject
                    ? Redaction.Clean(error.Message, key)
                    : $"The provider '{_provider.Name}' answered with status {status}.",
        };
        var type = Response.Content.Headers.ContentType?.ToString() ?? "application/json";
        return new UpstreamException(error)
        {
            Raw =
                json is null || key is not null && Redaction.Contains(body, key)
                    ? null
                    : new RawRefusal(dialect.Wire, status, body, type),
        };
    }

    /// <summary>The next bytes; 0 at the end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        _body ??= await TryAsync(ends => Response.Content.ReadAsStreamAsync(ends));
        // The usual case: it is there already, and no timer is set.
        var read = _body.ReadAsync(buffer, _ends.Token);
        return read.IsCompletedSuccessfully ? read.Result : await TryAsync(_ => read.AsTask());
    }

    /// <exception cref="UpstreamException">It broke off, or is too long.</exception>
    public async Task<byte[]> ReadAllAsync(int most = LongestAnswer)
    {
        if (Response.Content.Headers.ContentLength is { } told and > 0 && told <= most)
        {
            var whole = new byte[told];
            var at = 0;
            while (at < whole.Length)
            {
                if (await ReadAsync(whole.AsMemory(at)) is not (> 0 and var read))
                    throw new UpstreamException(
                        new ModelError(ErrorKind.Upstream, $"The provider '{_provider.Name}' broke off.")
                    );
                at += read;
            }
            return whole;
        }
        using var buffer = new MemoryStream();
        var piece = new byte[16 * 1024];
        while (await ReadAsync(piece) is > 0 and var count)
        {
            buffer.Write(piece, 0, count);
            if (buffer.Length > most)
                throw new UpstreamException(
                    new ModelError(
                        ErrorKind.Upstream,
                        $"The answer of '{_provider.Name}' is over {most / 1024 / 1024} MiB."
                    )
                );
        }
        return buffer.ToArray();
    }

    public ValueTask DisposeAsync()
    {
        // What is not read to its end is ended here, and the connection with it.
        Response?.Dispose();
        _ends.Dispose();
        return ValueTask.CompletedTask;
    }
}
