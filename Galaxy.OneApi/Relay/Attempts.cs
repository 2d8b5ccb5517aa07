using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Galaxy.OneApi.Backends;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Dialects.Plain;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Providers;
using Galaxy.OneApi.Routing;

namespace Galaxy.OneApi.Relay;

/// <summary>
/// Asks one target after the other until the first token of one is there. A rate-limited key is in cooldown as long as
/// its provider says, an unhealthy provider is skipped; an error of the request itself is reported at once.
/// Thread-safe.
/// </summary>
internal sealed class Attempts(
    Upstream upstream,
    DeviceModels devices,
    KeyRing keys,
    TargetStats stats,
    TimeProvider time,
    Func<double> random
)
{
    /// <summary>Tries beyond one for each target.</summary>
    private const int Extra = 2;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RefusedRest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    /// <exception cref="UpstreamException">No target answered; it is the last failure, or the first that is the
    /// client's fault.</exception>
    /// <exception cref="BadFieldException">The request has to be translated, and cannot be.</exception>
    public async Task<Won> RunAsync(ModelRequest request, Plan plan, CancellationToken cancellation)
    {
        var targets = plan.Targets.ToList();
        var run = new Run(targets.Count + Extra);
        var waited = TimeSpan.Zero;
        for (var round = 0; ; round++)
        {
            TimeSpan? shortest = null;
            for (var i = 0; i < targets.Count && run.Tries < run.Most; i++)
            {
                var (won, wait) = await AskAsync(request, targets[i], run, cancellation);
                if (won is not null)
                    return won;
                if (wait is not null && (shortest is null || wait < shortest))
                    shortest = wait;
                // A route may name other models for a conversation that is too long or that a content filter refuses.
                if (run.Last?.Error.Kind == ErrorKind.ContextLength)
                    Detour(targets, i, plan.OnContext, run);
                else if (run.Last?.Error.Kind == ErrorKind.ContentFilter)
                    Detour(targets, i, plan.OnFilter, run);
            }
            if (run.Last is { } last && (run.Tries >= run.Most || !IsWorthAnotherRound(last)))
                throw last;
            // Retry keys in cooldown when the shortest cooldown ends, otherwise back off (100 ms, doubled each round,
            // with jitter); give up when all waits together exceed 10 s.
            var pause = shortest ?? FirstPause * Math.Pow(2, round) * (0.5 + random());
            if ((waited += pause) > LongestWait)
                throw run.Last ?? Limited(plan, pause);
            await Task.Delay(pause, time, cancellation);
        }
    }

    private sealed class Run(int most)
    {
        public int Tries { get; set; }
        public int Most { get; set; } = most;
        public UpstreamException? Last { get; set; }
    }

    private static void Detour(List<Target> targets, int at, IReadOnlyList<Target> others, Run run)
    {
        var fresh = others.Where(other => !targets.Contains(other)).ToList();
        targets.InsertRange(at + 1, fresh);
        run.Most += fresh.Count;
    }

    private static bool IsWorthAnotherRound(UpstreamException last) =>
        !last.IsRefusedKey && last.Error.Kind is (ErrorKind.RateLimited or ErrorKind.Overloaded or ErrorKind.Upstream);

    private static UpstreamException Limited(Plan plan, TimeSpan wait) =>
        new(
            new ModelError(
                ErrorKind.RateLimited,
                $"Every provider of '{plan.Asked}' has reached its limit; try again in "
                    + $"{Math.Ceiling(wait.TotalSeconds):0} s.",
                RetryAfter: wait
            )
        );

    /// <summary>Tries all keys of one target. Neither: it failed, and <see cref="Run.Last"/> says how.</summary>
    private async Task<(Won?, TimeSpan? Wait)> AskAsync(
        ModelRequest request,
        Target target,
        Run run,
        CancellationToken cancellation
    )
    {
        for (var again = Math.Max(1, target.Provider?.Keys.Count ?? 1); again > 0; again--)
        {
            string? key = null;
            if (target.Provider is { } provider)
            {
                (var next, var wait, var isRefused) = keys.Take(provider);
                if (next is null && isRefused)
                    run.Last = new UpstreamException(
                        new ModelError(
                            ErrorKind.Upstream,
                            $"The provider '{provider.Name}' has just refused its key; it is tried again "
                                + $"in {Math.Ceiling(wait!.Value.TotalSeconds):0} s."
                        )
                    )
                    {
                        IsRefusedKey = true,
                    };
                if (next is null)
                    return (null, isRefused ? null : wait);
                key = next.Length == 0 ? null : next;
            }
            try
            {
                return (await TryAsync(request, target, key, run, cancellation), null);
            }
            catch (UpstreamException failure)
            {
                run.Last = failure;
                Learn(target, key, failure);
                if (failure.IsFinal)
                    throw;
                if (!failure.IsOfKey || target.Provider is null)
                    return (null, null);
                if (again == 1)
                    return (null, failure.Error.Kind == ErrorKind.RateLimited ? failure.Error.RetryAfter : null);
            }
        }
        return (null, null);
    }

    private void Learn(Target target, string? key, UpstreamException failure)
    {
        if (failure.IsOfKey && target.Provider is { } limited)
            keys.Cool(
                limited,
                key,
                failure.IsRefusedKey ? RefusedRest : failure.Error.RetryAfter,
                failure.IsRefusedKey
            );
        if (failure.IsOfProvider)
            stats.Failed(target.Id);
    }

    private async Task<Won> TryAsync(
        ModelRequest request,
        Target target,
        string? key,
        Run run,
        CancellationToken cancellation
    )
    {
        run.Tries++;
        var began = Stopwatch.GetTimestamp();
        var losses = new Losses();
        stats.Begin(target.Id);
        try
        {
            var exchange = target.Backend switch
            {
                Backend.Echo => Echo(request),
                Backend.Device => await DeviceAsync(request, target, losses, cancellation),
                _ => await HttpAsync(request, target, key, losses, cancellation),
            };
            var first = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            stats.Answered(target.Id, first);
            if (target.Provider is not null)
                keys.Succeeded(target.Provider, key);
            return new Won(exchange, target, run.Tries, [.. losses.Names, .. losses.Hints], first);
        }
        catch
        {
            stats.End(target.Id);
            throw;
        }
    }

    private static IExchange Echo(ModelRequest request)
    {
        if (request.Client is PlainClient)
            return EchoPlain.Answer(request);
        var asked = request.Conversation;
        var answer = EchoModel.Answer(asked, "echo-" + Guid.NewGuid().ToString("N"));
        return Translated.Of(answer, request.Client, asked, steps: EchoModel.Steps(answer));
    }

    private async Task<IExchange> DeviceAsync(
        ModelRequest request,
        Target target,
        Losses losses,
        CancellationToken cancellation
    )
    {
        if (request.Client is PlainClient)
            throw new UpstreamException(
                new ModelError(ErrorKind.Unsupported, $"'{target.Id}' can chat, and nothing else.", "model")
            );
        var asked = Carry(request, losses);
        var body = DeviceModels.Write(asked, target.Model, losses);
        Refuse(request, target, losses);
        var answer = await devices.AskAsync(target.Device!, body, cancellation);
        return Translated.Of(answer, request.Client, asked);
    }

    private static Conversation Carry(ModelRequest request, Losses losses)
    {
        var asked = request.Conversation;
        foreach (var name in asked.Unknown)
            losses.Add(name);
        foreach (var name in asked.Hints)
            losses.Hint(name);
        return asked;
    }

    private async Task<IExchange> HttpAsync(
        ModelRequest request,
        Target target,
        string? key,
        Losses losses,
        CancellationToken cancellation
    )
    {
        var provider = target.Provider!;
        if (request.Client.Wire == Wire.Embeddings && provider.Dialect.Wire == Wire.Gemini)
            return await GeminiEmbeddings.AskAsync(upstream, provider, key, target, request, time, cancellation);
        var dialect = provider.DialectFor(request.Client.Wire)
            ?? throw new UpstreamException(
                new ModelError(
                    ErrorKind.Unsupported,
                    $"'{target.Id}' has no {request.Client.Wire.ToString().ToLowerInvariant()}.",
                    "model"
                )
            );
        var envelope = request.Envelope;
        var path = dialect.Path(target.Model, envelope.Stream);
        if (dialect.Wire == request.Client.Wire)
        {
            var asksUsage =
                request.MeterUsage
                && envelope.Stream
                && !envelope.IncludesUsage
                && dialect.Wire is (Wire.Chat or Wire.Completions);
            var same = await UpstreamCall.SendAsync(
                upstream,
                provider,
                dialect,
                key,
                path,
                envelope.WithModel(request.Body, target.Model, asksUsage),
                request.Headers,
                time,
                cancellation,
                request.MediaType
            );
            return dialect.Wire == Wire.Speech || (dialect is PlainProvider && Upstream.IsEventStream(same.Response))
                ? await OwnedAsync<IExchange>(same, async () => await BytesThrough.BeginAsync(same, provider))
                : await OwnedAsync<IExchange>(same, async () =>
                    await PassThrough.BeginAsync(same, provider, dialect, envelope.Stream, asksUsage)
                );
        }
        var asked = Carry(request, losses);
        var body = dialect.Write(asked, target.Model, losses);
        if (!provider.DropParams)
            Refuse(request, target, losses);
        var call = await UpstreamCall.SendAsync(
            upstream,
            provider,
            dialect,
            key,
            path,
            JsonSerializer.SerializeToUtf8Bytes(body, Sse.Json),
            null,
            time,
            cancellation
        );
        return await OwnedAsync<IExchange>(call, async () =>
            asked.Stream && Upstream.IsEventStream(call.Response)
                ? await Translated.BeginAsync(
                    Translated.ReadAsync(call, provider.Name, dialect, cancellation),
                    provider.Name,
                    request.Client,
                    asked,
                    call,
                    call.Response,
                    cancellation
                )
                : Translated.Of(await WholeAsync(call, provider, dialect), request.Client, asked, call, call.Response)
        );
    }

    private static void Refuse(ModelRequest request, Target target, Losses losses)
    {
        if (losses.Names.Count == 0 || request.DropParams)
            return;
        throw new UpstreamException(
            new ModelError(
                ErrorKind.Unsupported,
                $"'{target.Id}' cannot be told: {string.Join(", ", losses.Names)}. Leave it out, or send "
                    + "\"drop_params\": true to have it dropped.",
                losses.Names[0]
            )
        );
    }

    private static async Task<T> OwnedAsync<T>(UpstreamCall call, Func<Task<T>> begin)
    {
        try
        {
            return await begin();
        }
        catch
        {
            await call.DisposeAsync();
            throw;
        }
    }

    private static async Task<Answer> WholeAsync(UpstreamCall call, Provider provider, ProviderDialect dialect)
    {
        var bytes = await call.ReadAllAsync();
        try
        {
            if (JsonNode.Parse(bytes) is not JsonObject json)
                throw new JsonException("it is not an object");
            if (json["error"] is JsonObject)
                throw new UpstreamException(dialect.Error(500, json));
            return dialect.Read(json);
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
}
