using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.Router.Routing;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Router.Invocation;

/// <summary><c>POST /invoke/{capability}</c>: chooses a target and sends the request.</summary>
internal static class InvokeApi
{
    private const string TargetHeader = "X-Galaxy-Target";
    private const string AttemptsHeader = "X-Galaxy-Attempts";
    private const string TaskHeader = "X-Galaxy-Task";
    private const string MayHaveRunHeader = "X-Galaxy-May-Have-Run";
    private const double DefaultTimeout = 30;
    private const double LongestTimeout = 3600;

    public static void MapInvokeApi(this IEndpointRouteBuilder endpoints) =>
        endpoints
            .MapPost("/invoke/{capability}", InvokeAsync)
            .ReadsItsBody()
            .WithSummary("Have it done by the best one")
            .WithDescription(
                "The body goes to a service as it is, or to a device as the parameters of a task. Query: "
                    + "as of /route, and timeout (seconds until the answer begins, 30 by default), "
                    + "idempotent=true (it may be done twice, so that "
                    + "a failed request goes to another target), hedge=false. An Idempotency-Key says the "
                    + "same as idempotent=true. Other parameters go to the target. With 'Accept: "
                    + "text/event-stream' a device's progress is told as it comes. "
                    + "The answer names the target and the number of attempts; where it failed, whether it "
                    + "may have been done."
            );

    private static async Task InvokeAsync(string capability, HttpContext context, Invoker invoker)
    {
        if (await ReadAsync(capability, context) is not { } invoke)
            return;
        var caller = context.RequestAborted;
        var isEvents = context
            .Request.Headers.Accept.ToString()
            .Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);
        if (isEvents)
            invoke = invoke with { Progress = progress => EventAsync(context, "progress", new { progress }) };
        InvokeOutcome outcome;
        try
        {
            outcome = await invoker.InvokeAsync(invoke, caller);
        }
        catch (OperationCanceledException) when (caller.IsCancellationRequested)
        {
            return;
        }
        if (!context.Response.HasStarted)
            Describe(context.Response, outcome);
        switch (outcome)
        {
            case ServiceAnswered answered:
                using (answered.Response)
                    await PassOnAsync(answered.Response, context, invoke.Timeout);
                break;
            case InvokeFailed { Response: { } response }:
                using (response)
                    await PassOnAsync(response, context, invoke.Timeout);
                break;
            case DeviceAnswered { Task: var task }:
                await AnswerAsync(task, context, isEvents);
                break;
            case InvokeFailed failed when context.Response.HasStarted:
                await EventAsync(
                    context,
                    "error",
                    new
                    {
                        status = failed.Status,
                        detail = failed.Detail,
                        may_have_run = failed.MayHaveRun,
                    }
                );
                break;
            case InvokeFailed failed:
                if (failed.Status == StatusCodes.Status503ServiceUnavailable)
                    context.Response.Headers.RetryAfter = "1";
                await Results
                    .Problem(
                        failed.Detail,
                        statusCode: failed.Status,
                        extensions: new Dictionary<string, object?> { ["may_have_run"] = failed.MayHaveRun }
                    )
                    .ExecuteAsync(context);
                break;
        }
    }

    /// <summary>Null: it was answered already, with what is wrong.</summary>
    private static async Task<InvokeRequest?> ReadAsync(string capability, HttpContext context)
    {
        var given = context.Request.Query;
        var timeout = DefaultTimeout;
        bool? idempotent = null,
            hedge = null;
        var complaint = QueryReader.Read(capability, context.Request, out var query)
            ?? QueryReader.ReadFlag(given, "idempotent", out idempotent)
            ?? QueryReader.ReadFlag(given, "hedge", out hedge)
            ?? (
                given.TryGetValue("timeout", out var text)
                && !(
                    double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out timeout)
                    && timeout is > 0 and <= LongestTimeout
                )
                    ? $"'timeout' is '{text}'; it must be seconds, more than 0 and at most {LongestTimeout:N0}."
                    : null
            );
        var key = context.Request.Headers["Idempotency-Key"] is { Count: > 0 } header ? header.ToString() : null;
        if (key is { Length: 0 or > 200 })
            complaint ??= "The Idempotency-Key must have 1 to 200 characters.";
        if (complaint is not null)
        {
            await Results.Problem(complaint, statusCode: 400).ExecuteAsync(context);
            return null;
        }
        var rest = given
            .Where(pair => !QueryReader.Own.Contains(pair.Key))
            .SelectMany(pair =>
                pair.Value.Select(value => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(value ?? "")}")
            );
        var targetQuery = string.Join('&', rest);
        return new InvokeRequest(
            query,
            await RequestBody.ReadAsync(context.Request, context.RequestAborted),
            TimeSpan.FromSeconds(timeout),
            idempotent ?? key is not null,
            hedge ?? true
        )
        {
            TargetQuery = targetQuery.Length == 0 ? "" : "?" + targetQuery,
            Headers = context.Request.Headers,
            IdempotencyKey = key,
        };
    }

    private static void Describe(HttpResponse response, InvokeOutcome outcome)
    {
        if (outcome.TargetId is { Length: > 0 } target)
            response.Headers[TargetHeader] = Uri.EscapeDataString(target);
        response.Headers[AttemptsHeader] = outcome.Attempts.ToString(CultureInfo.InvariantCulture);
        if (outcome is DeviceAnswered { Task: var task })
            response.Headers[TaskHeader] = task.TaskId;
        if (outcome is InvokeFailed failed)
            response.Headers[MayHaveRunHeader] = failed.MayHaveRun ? "true" : "false";
    }

    /// <summary>The answer as it comes, piece by piece.</summary>
    private static async Task PassOnAsync(HttpResponseMessage answer, HttpContext context, TimeSpan patience)
    {
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (ServiceCaller.IsPassedOn(name))
                context.Response.Headers[name] = values.ToArray();
        }
        context.Response.ContentLength = answer.Content.Headers.ContentLength;
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            await using var body = await answer.Content.ReadAsStreamAsync(context.RequestAborted);
            using var idle = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            while (true)
            {
                idle.CancelAfter(patience);
                var read = await body.ReadAsync(buffer, idle.Token);
                if (read == 0)
                    return;
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
                if (answer.Content.Headers.ContentLength is null)
                    await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException or OperationCanceledException)
        {
            // The answer has begun, so the connection is aborted and the caller notices it.
            context.Abort();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task AnswerAsync(TaskView task, HttpContext context, bool isEvents)
    {
        var (status, detail) = task.State switch
        {
            TaskState.Completed => (200, ""),
            TaskState.Timeout => (504, $"The device had not finished in time: {task.Error}"),
            TaskState.Cancelled => (409, $"The task was cancelled: {task.Error}"),
            _ => (502, task.Error ?? "The device failed."),
        };
        if (isEvents)
            await EventAsync(
                context,
                status == 200 ? "result" : "error",
                status == 200
                    ? new { result = task.Result }
                    : new
                    {
                        status,
                        detail,
                        task_id = task.TaskId,
                    }
            );
        else if (status == 200)
            await Results.Json(task.Result).ExecuteAsync(context);
        else
            await Results
                .Problem(
                    detail,
                    statusCode: status,
                    extensions: new Dictionary<string, object?>
                    {
                        ["task_id"] = task.TaskId,
                        ["device_id"] = task.DeviceId,
                    }
                )
                .ExecuteAsync(context);
    }

    private static async Task EventAsync(HttpContext context, string name, object data)
    {
        if (!context.Response.HasStarted)
            (context.Response.ContentType, context.Response.Headers.CacheControl) = ("text/event-stream", "no-cache");
        await context.Response.WriteAsync(
            $"event: {name}\ndata: {JsonSerializer.Serialize(data, GalaxyJson.Options)}\n\n",
            context.RequestAborted
        );
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
