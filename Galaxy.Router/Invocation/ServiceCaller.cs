using System.Diagnostics;
using System.Net;
using Galaxy.Core.Routing;
using Galaxy.Router.Routing;

namespace Galaxy.Router.Invocation;

/// <summary>How a request to one service ended.</summary>
internal enum AttemptEnd
{
    /// <summary>With an answer for the caller.</summary>
    Answered,

    /// <summary>The request never reached the target: nothing was done.</summary>
    NotDelivered,

    /// <summary>The target says that it did nothing: 421, 429.</summary>
    Refused,

    /// <summary>The request reached the target, and what was done is not known.</summary>
    Failed,
}

/// <summary>One request to one service.</summary>
internal sealed record Attempt(RouteTarget Target, AttemptEnd End, HttpResponseMessage? Response, string Detail)
    : IDisposable
{
    /// <summary>It ended because its time was over.</summary>
    public bool IsLate { get; init; }

    public void Dispose() => Response?.Dispose();
}

/// <summary>Sends a request to a service, measures it, and tells the breaker. Thread-safe.</summary>
internal sealed class ServiceCaller(TargetHttp http, RouterTable table, InvokeLatencies latencies)
{
    // Of one connection only (RFC 9110, section 7.6.1), or not meant for the target: the caller's identity and key.
    private static readonly HashSet<string> NotForwarded = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection",
        "Keep-Alive",
        "Proxy-Connection",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Host",
        "Expect",
        "Authorization",
        "X-API-Key",
        "Cookie",
        "Content-Length",
        "Content-Type",
        "traceparent",
        "tracestate",
        "baggage",
    };

    /// <summary>Headers of an answer that are passed on.</summary>
    public static bool IsPassedOn(string header) =>
        !NotForwarded.Contains(header) && !header.Equals("Set-Cookie", StringComparison.OrdinalIgnoreCase)
        || header.Equals("Content-Type", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="OperationCanceledException">The caller left, or another attempt won.</exception>
    public async Task<Attempt> SendAsync(
        RouteChoice choice,
        InvokeRequest invoke,
        CancellationToken deadline,
        CancellationToken lost
    )
    {
        var (target, state) = (choice.Target!, choice.State!);
        using var request = Message(target, choice.Offer(invoke.Query.Capability)!, invoke);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(deadline, lost);
        var started = Stopwatch.GetTimestamp();
        state.Begin();
        try
        {
            var response = await http.SendAsync(request, ends.Token);
            var milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            var end = response.StatusCode switch
            {
                HttpStatusCode.MisdirectedRequest or HttpStatusCode.TooManyRequests => AttemptEnd.Refused,
                >= HttpStatusCode.InternalServerError and not HttpStatusCode.NotImplemented => AttemptEnd.Failed,
                _ => AttemptEnd.Answered,
            };
            if (end == AttemptEnd.Answered)
            {
                state.Measured(milliseconds, table.Now);
                latencies.Of(invoke.Query.Capability).Add(milliseconds);
            }
            // A 429 does not make the target unhealthy, but other requests go to other targets, because it is busy.
            table.Tell(invoke.Query.Capability, state, end is AttemptEnd.Failed);
            return new Attempt(target, end, response, $"{target.Id} answered {(int)response.StatusCode}");
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested)
        {
            state.Breaker.NeverMind();
            throw;
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException)
        {
            table.Tell(invoke.Query.Capability, state, failed: true);
            return new Attempt(
                target,
                NeverGotThere(failure) ? AttemptEnd.NotDelivered : AttemptEnd.Failed,
                null,
                $"{target.Id}: {Reason(failure, invoke)}"
            )
            {
                IsLate = failure is OperationCanceledException,
            };
        }
        finally
        {
            state.End();
        }
    }

    private HttpRequestMessage Message(RouteTarget target, RouteCapability offer, InvokeRequest invoke)
    {
        var isGet = offer.Method == "GET";
        var path = offer.Path + (isGet ? QueryOf(invoke) : invoke.TargetQuery);
        var request = http.Request(new HttpMethod(offer.Method), target, path);
        foreach (var (name, values) in invoke.Headers ?? new HeaderDictionary())
        {
            if (!NotForwarded.Contains(name) && !name.StartsWith(':'))
                request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }
        if (!isGet)
            request.Content = invoke.Body.Content();
        return request;
    }

    // What is asked by GET is asked in the query, also when the caller sent an object.
    private static string QueryOf(InvokeRequest invoke)
    {
        if (invoke.Body.Whole is not { Length: > 0 } body || ParametersOf(body) is not { } parameters)
            return invoke.TargetQuery;
        var pairs = string.Join(
            '&',
            parameters.Select(pair => $"{Uri.EscapeDataString(pair.Name)}={Uri.EscapeDataString(TextOf(pair.Value))}")
        );
        return pairs.Length == 0 ? invoke.TargetQuery
            : invoke.TargetQuery.Length == 0 ? "?" + pairs
            : invoke.TargetQuery + "&" + pairs;
    }

    // ToString would write True.
    private static string TextOf(System.Text.Json.JsonElement value) =>
        value.ValueKind == System.Text.Json.JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static List<System.Text.Json.JsonProperty>? ParametersOf(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = System.Text.Json.JsonDocument.Parse(body);
            return document.RootElement.ValueKind == System.Text.Json.JsonValueKind.Object
                ?
                [
                    .. document
                        .RootElement.Clone()
                        .EnumerateObject()
                        .Where(pair =>
                            pair.Value.ValueKind
                                is not (
                                    System.Text.Json.JsonValueKind.Null
                                    or System.Text.Json.JsonValueKind.Object
                                    or System.Text.Json.JsonValueKind.Array
                                )
                        ),
                ]
                : null;
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static bool NeverGotThere(Exception failure) =>
        failure switch
        {
            HttpRequestException
            {
                HttpRequestError: HttpRequestError.ConnectionError
                    or HttpRequestError.NameResolutionError
                    or HttpRequestError.SecureConnectionError
            } => true,
            // The time for connecting ran out, not the caller's.
            OperationCanceledException { InnerException: TimeoutException } => true,
            _ => false,
        };

    private static string Reason(Exception failure, InvokeRequest invoke) =>
        failure switch
        {
            OperationCanceledException { InnerException: TimeoutException } => "no connection within 2 s",
            OperationCanceledException => $"no answer within {invoke.Timeout.TotalSeconds:0.###} s",
            HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => "cannot be reached",
            HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded }
            or HttpRequestException { InnerException: IOException }
            or IOException => "hung up before it answered",
            _ => failure.Message,
        };
}
