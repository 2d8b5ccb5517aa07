using Galaxy.Console.Logs;
using Galaxy.Console.Metrics;
using Galaxy.Console.Otlp;
using Galaxy.Console.Traces;
using Galaxy.Contracts.Otlp;
using Galaxy.Contracts.Otlp.Logs;
using Galaxy.Contracts.Otlp.Metrics;
using Galaxy.ServiceDefaults.Input;
using Google.Protobuf;

namespace Galaxy.Console.Receivers;

/// <summary>OTLP over gRPC, and over HTTP with protobuf or JSON bodies, gzip or not.</summary>
internal static class OtlpEndpoints
{
    public const string Policy = "otlp";
    private const string Protobuf = "application/x-protobuf",
        Json = "application/json";

    public static void MapOtlp(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcService<TraceReceiver>().RequireAuthorization(Policy);
        endpoints.MapGrpcService<LogsReceiver>().RequireAuthorization(Policy);
        endpoints.MapGrpcService<MetricsReceiver>().RequireAuthorization(Policy);
        Map("/v1/traces", ExportTraceServiceRequest.Parser, (request, services) =>
            services.GetRequiredService<TraceStore>().Add(OtlpReader.Read(request))
        );
        Map("/v1/logs", ExportLogsServiceRequest.Parser, (request, services) =>
            services
                .GetRequiredService<LogStore>()
                .Add(OtlpReader.Read(request, services.GetRequiredService<TimeProvider>().GetUtcNow()))
        );
        Map("/v1/metrics", ExportMetricsServiceRequest.Parser, (request, services) =>
            MetricReader.Read(request, services.GetRequiredService<MetricStore>())
        );

        void Map<T>(string path, MessageParser<T> parser, Action<T, IServiceProvider> take)
            where T : IMessage<T>, new() =>
            endpoints
                .MapPost(path, (Delegate)((HttpContext context) => ReceiveAsync(context, parser, take)))
                .RequireAuthorization(Policy)
                .ReadsItsBody()
                .ExcludeFromDescription();
    }

    private static async Task<IResult> ReceiveAsync<T>(
        HttpContext context,
        MessageParser<T> parser,
        Action<T, IServiceProvider> take
    )
        where T : IMessage<T>, new()
    {
        var type = context.Request.ContentType?.Split(';')[0].Trim();
        var isJson = string.Equals(type, Json, StringComparison.OrdinalIgnoreCase);
        if (!isJson && !string.Equals(type, Protobuf, StringComparison.OrdinalIgnoreCase))
            return Results.Problem($"The content type is '{type}'; send {Protobuf} or {Json}.", statusCode: 415);
        try
        {
            var body = await OtlpBody.ReadAsync(context.Request, context.RequestAborted);
            take(isJson ? OtlpJson.Parse<T>(body) : parser.ParseFrom(body), context.RequestServices);
            return isJson ? Results.Text("{}", Json) : Results.Bytes([], Protobuf);
        }
        catch (BodyTooLargeException large)
        {
            return Results.Problem(large.Message, statusCode: 413);
        }
        catch (UnknownEncodingException unknown)
        {
            return Results.Problem(unknown.Message, statusCode: 415);
        }
        catch (Exception bad)
            when (bad
                    is InvalidProtocolBufferException
                        or InvalidDataException
                        or System.Text.Json.JsonException
                        or FormatException
                        or InvalidOperationException
            )
        {
            return Results.Problem($"The body is no OTLP request of this signal: {bad.Message}", statusCode: 400);
        }
    }
}
