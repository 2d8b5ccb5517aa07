using System.Diagnostics;
using System.Globalization;
using Galaxy.OneApi.Accounting;
using Galaxy.OneApi.Backends;
using Galaxy.OneApi.Cache;
using Galaxy.OneApi.Dialects;
using Galaxy.OneApi.Exchange;
using Galaxy.OneApi.Governance;
using Galaxy.OneApi.Requests;
using Galaxy.OneApi.Routing;
using Galaxy.OneApi.Telemetry;
using Microsoft.AspNetCore.Http.Features;

namespace Galaxy.OneApi.Relay;

/// <summary>
/// One request for a model from beginning to end: the caller and its rights, the target that answers, the cost. Errors
/// are reported in the client's dialect. Thread-safe.
/// </summary>
internal sealed partial class ModelRelay(
    Callers callers,
    ModelRouter router,
    Attempts attempts,
    TargetStats stats,
    Accounts accounts,
    AnswerCache cache,
    ModelRules rules,
    OneApiOptions options,
    TimeProvider time,
    ILogger<ModelRelay> log
)
{
    public const string CacheHeader = "x-galaxy-cache";
    private const string DropHeader = "x-galaxy-drop-params";

    /// <param name="plan">The targets that may answer; null: the router decides.</param>
    /// <param name="after">Told of the exchange when the whole answer is with the client.</param>
    public async Task HandleAsync(
        HttpContext context,
        ClientDialect client,
        Operation operation,
        ReadOnlyMemory<byte>? given = null,
        Caller? known = null,
        Plan? plan = null,
        Func<IExchange, Target, Task>? after = null
    )
    {
        var work = new Work(Stopwatch.GetTimestamp());
        try
        {
            var caller = work.Caller = known ?? await callers.IdentifyAsync(context.Request);
            var body = given ?? await Bodies.ReadAsync(context, options.MaxBodyMiB);
            var envelope = context.Request.HasFormContentType
                ? Envelope.ReadForm(body.Span)
                : Envelope.Read(body.Span, operation.ContentField);
            work.Model = envelope.Model;
            using var activity = work.Activity = GenAiTelemetry.Start(operation.Name, envelope.Model);
            var request = new ModelRequest(
                client,
                envelope,
                body,
                context.Request.Headers,
                envelope.DropParams || context.Request.Headers[DropHeader] == "true",
                caller.Key?.CountsTokens == true
            )
            {
                MediaType = context.Request.HasFormContentType ? context.Request.ContentType! : "application/json",
            };
            plan = Allowed(
                plan ?? await router.PlanAsync(envelope.Model, envelope.User, context.RequestAborted),
                caller
            );
            Describe(context, work);
            if (CacheTtl(context, caller) is { } ttl)
                await CachedAsync(context, request, plan, work, ttl, after);
            else
                await AnswerAsync(context, request, plan, work, after);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            work.Error = new ModelError(ErrorKind.Timeout, "The client went away.");
        }
        catch (Exception failure) when (ErrorOf(failure) is { } error)
        {
            work.Error = error;
            await FailAsync(context, client, failure, error);
        }
        catch (Exception defect)
        {
            LogDefect(log, defect);
            work.Error = new ModelError(ErrorKind.Internal, "OneApi has met a defect of its own; its log says more.");
            await FailAsync(context, client, defect, work.Error);
        }
        finally
        {
            await EndAsync(context, operation, work);
        }
    }

    /// <summary>What is known of a request while it runs. Not thread-safe.</summary>
    private sealed class Work(long began)
    {
        public long Began => began;
        public Caller? Caller { get; set; }
        public string Model { get; set; } = "";
        public Activity? Activity { get; set; }
        public Admission? Admission { get; set; }
        public Won? Won { get; set; }
        public Usage? Usage { get; set; }
        public long Nanos { get; set; }
        public ModelError? Error { get; set; }
        public bool IsSettled { get; set; }
    }

    private static Plan Allowed(Plan plan, Caller caller)
    {
        if (caller.May(plan.Asked))
            return plan;
        var allowed = plan.Targets.Where(target => caller.May(target.Id)).ToList();
        return allowed.Count > 0
            ? plan with
            {
                Targets = allowed,
                OnContext = [.. plan.OnContext.Where(target => caller.May(target.Id))],
                OnFilter = [.. plan.OnFilter.Where(target => caller.May(target.Id))],
            }
            : throw new RefusedException(
                new ModelError(
                    ErrorKind.Permission,
                    $"The key '{caller.Key!.Name}' may not use '{plan.Asked}'; it may use "
                        + $"{string.Join(", ", caller.Key.Models)}.",
                    "model"
                )
            );
    }

    private static void Describe(HttpContext context, Work work)
    {
        if ((work.Activity ?? Activity.Current)?.TraceId is { } trace && trace != default)
            context.Response.Headers["x-galaxy-trace-id"] = trace.ToHexString();
    }

    private TimeSpan? CacheTtl(HttpContext context, Caller caller)
    {
        var asked = context.Request.Headers[CacheHeader].ToString();
        if (asked.Length == 0)
            return caller.Key?.CacheTtl is > 0 and var seconds ? TimeSpan.FromSeconds(seconds)
                : rules.Current.CacheTtl > TimeSpan.Zero ? rules.Current.CacheTtl
                : null;
        if (asked is "0" or "off" or "no-store")
            return null;
        return
            int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var ttl)
            && ttl <= AnswerCache.LongestTtl.TotalSeconds
            ? TimeSpan.FromSeconds(ttl)
            : throw new BadFieldException(
                CacheHeader,
                $"The header {CacheHeader} must be seconds from 1 to "
                    + $"{AnswerCache.LongestTtl.TotalSeconds:0}, or off; it is '{asked}'."
            );
    }

    private async Task CachedAsync(
        HttpContext context,
        ModelRequest request,
        Plan plan,
        Work work,
        TimeSpan ttl,
        Func<IExchange, Target, Task>? after
    )
    {
        var key = AnswerCache.KeyOf(
            work.Caller!,
            context.Request.Path
                + "\n"
                + string.Join(',', plan.Targets.Select(target => target.Id).Order(StringComparer.Ordinal)),
            request.Body.Span
        );
        if (await cache.FindAsync(key) is { } known)
        {
            context.Response.Headers[CacheHeader] = "hit";
            context.Response.Headers["x-galaxy-model"] = known.Target;
            context.Response.Headers["x-galaxy-cost"] = "0";
            context.Response.ContentType = known.MediaType;
            await context.Response.Body.WriteAsync(known.Body, context.RequestAborted);
            return;
        }
        context.Response.Headers[CacheHeader] = "miss";
        var before = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        await using var tee = new TeeStream(before.Stream, AnswerCache.LongestAnswer);
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(tee, before));
        try
        {
            await AnswerAsync(context, request, plan, work, after);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        }
        finally
        {
            context.Features.Set(before);
        }
        if (tee.Kept is { } body && work.Error is null)
            await cache.KeepAsync(
                key,
                new CachedAnswer(context.Response.ContentType ?? "application/json", body, work.Won!.Target.Id),
                ttl
            );
    }

    private async Task AnswerAsync(
        HttpContext context,
        ModelRequest request,
        Plan plan,
        Work work,
        Func<IExchange, Target, Task>? after
    )
    {
        work.Admission = await accounts.AdmitAsync(work.Caller!, request, plan);
        var won = work.Won = await attempts.RunAsync(request, plan, context.RequestAborted);
        try
        {
            GenAiTelemetry.Answered(work.Activity, won);
            await using var exchange = won.Exchange;
            Head(context, request, won, work);
            try
            {
                await exchange.WriteAsync(context, context.RequestAborted);
                if (after is not null)
                    await after(exchange, won.Target);
            }
            finally
            {
                Account(request, work);
            }
        }
        finally
        {
            stats.End(won.Target.Id);
        }
    }

    private void Head(HttpContext context, ModelRequest request, Won won, Work work)
    {
        var headers = context.Response.Headers;
        context.Response.ContentType =
            request.Envelope.Stream && !won.Exchange.IsWhole ? "text/event-stream; charset=utf-8" : "application/json";
        if (won.Exchange is PassThrough && won.Exchange.Head is { } head)
            Carried.From(head, context.Response);
        if (request.Envelope.Stream)
            headers.CacheControl = "no-cache";
        headers["x-galaxy-provider"] = won.Target.Owner;
        headers["x-galaxy-model"] = Header(won.Target.Id);
        headers["x-galaxy-attempts"] = won.Tries.ToString(CultureInfo.InvariantCulture);
        if (won.Dropped.Count > 0)
            headers["x-galaxy-dropped"] = Header(string.Join(", ", won.Dropped));
        if (won.Exchange.IsWhole)
        {
            Account(request, work);
            headers["x-galaxy-cost"] = (work.Nanos / 1e9).ToString("0.#########", CultureInfo.InvariantCulture);
        }
        if (work.Admission is { } admission)
            Carried.Limits(admission, request.Client.Wire, headers, time);
    }

    // Names are the user's own, headers are ASCII.
    private static string Header(string text) =>
        string.Concat(
            text.Select(letter =>
                letter is >= ' ' and <= '~' ? letter.ToString() : Uri.EscapeDataString(letter.ToString())
            )
        );

    private void Account(ModelRequest request, Work work)
    {
        if (work.IsSettled)
            return;
        // A stream tells at its end; a whole answer at once.
        var exchange = work.Won!.Exchange;
        work.Usage = exchange.Usage ?? Accounts.Estimate(request, exchange.Pieces);
        work.Nanos = accounts.CostOf(work.Won.Target, work.Usage);
        work.IsSettled = exchange.IsWhole;
    }

    private static ModelError? ErrorOf(Exception failure) =>
        failure switch
        {
            UpstreamException upstream => upstream.Error,
            BrokeOffException broke => broke.Error,
            BadFieldException field => field.Error,
            RefusedException refused => refused.Error,
            UnknownModelException unknown => unknown.Error,
            StoreMissingException missing => missing.Error,
            IOException or BadHttpRequestException => ModelError.Invalid("The request broke off."),
            _ => null,
        };

    private async Task FailAsync(HttpContext context, ClientDialect client, Exception failure, ModelError error)
    {
        if (context.RequestAborted.IsCancellationRequested)
            return;
        LogFailed(log, error.Kind, error.Message);
        if (context.Response.HasStarted)
        {
            // After the first bytes the only honest way to say it is inside the stream.
            if (failure is BrokeOffException { IsTold: true })
                return;
            client.WriteStreamError(error, context.Response.BodyWriter);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            return;
        }
        await Errors.WriteAsync(
            context,
            client,
            error,
            failure is UpstreamException { Raw: { } raw } && raw.Wire == client.Wire && IsForClients(error.Kind)
                ? raw
                : null
        );
    }

    // Of the same dialect, and about the request: the provider's own words say most.
    private static bool IsForClients(ErrorKind kind) =>
        kind
            is ErrorKind.InvalidRequest
                or ErrorKind.ContextLength
                or ErrorKind.ContentFilter
                or ErrorKind.TooLarge
                or ErrorKind.RateLimited;

    private async Task EndAsync(HttpContext context, Operation operation, Work work)
    {
        if (work.Caller is not { } caller || work.Model.Length == 0)
            return;
        var target = work.Won?.Target;
        await accounts.SettleAsync(
            caller,
            target?.Id ?? work.Model,
            work.Admission,
            work.Usage,
            work.Nanos,
            work.Error is not null
        );
        var took = Stopwatch.GetElapsedTime(work.Began);
        GenAiTelemetry.Ended(
            work.Activity,
            operation.Name,
            target?.Owner ?? "",
            work.Model,
            took,
            work.Won?.FirstTokenMilliseconds ?? 0,
            work.Won?.Tries ?? 0,
            work.Usage,
            work.Nanos / 1e9,
            work.Error
        );
        if (rules.Current.Log)
            LogRequest(
                log,
                operation.Name,
                work.Model,
                target?.Id ?? "-",
                caller.Key?.Name ?? caller.Id,
                context.Response.StatusCode,
                took.TotalMilliseconds,
                work.Usage?.Input ?? 0,
                work.Usage?.Output ?? 0,
                work.Nanos / 1e9
            );
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A request met a defect")]
    private static partial void LogDefect(ILogger log, Exception defect);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A request failed ({Kind}): {Reason}")]
    private static partial void LogFailed(ILogger log, ErrorKind kind, string reason);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Operation} {Model} by {Target} for {Caller}: {Status} in {Milliseconds:0} ms, {Input}+{Output} "
            + "tokens, ${Cost:0.######}"
    )]
    private static partial void LogRequest(
        ILogger log,
        string operation,
        string model,
        string target,
        string caller,
        int status,
        double milliseconds,
        int input,
        int output,
        double cost
    );
}
