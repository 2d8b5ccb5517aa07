using System.IO.Compression;
using Galaxy.Console.Traces;
using Galaxy.Contracts.Otlp;
using Google.Protobuf;

namespace Galaxy.Console.Otlp;

internal static class OtlpEndpoints
{
    public const string Policy = "otlp";
    private const int MaxBodyBytes = 16 * 1024 * 1024;

    /// <summary>OTLP over gRPC and over HTTP with protobuf bodies, gzip or not.</summary>
    public static void MapOtlp(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcService<TraceReceiver>().RequireAuthorization(Policy);
        endpoints.MapGrpcService<LogsReceiver>().RequireAuthorization(Policy);
        endpoints.MapGrpcService<MetricsReceiver>().RequireAuthorization(Policy);
        endpoints.MapPost("/v1/traces", TracesAsync).RequireAuthorization(Policy).ExcludeFromDescription();
        endpoints.MapPost("/v1/logs", Accept).RequireAuthorization(Policy).ExcludeFromDescription();
        endpoints.MapPost("/v1/metrics", Accept).RequireAuthorization(Policy).ExcludeFromDescription();
    }

    private static IResult Accept() => Results.Bytes([], "application/x-protobuf");

    private static async Task<IResult> TracesAsync(HttpContext context, TraceStore traces)
    {
        if (context.Request.ContentType?.StartsWith("application/x-protobuf", StringComparison.OrdinalIgnoreCase) != true)
            return Results.Problem("Send application/x-protobuf.", statusCode: 415);
        try
        {
            var body = await ReadAsync(context);
            traces.Add(OtlpReader.Read(ExportTraceServiceRequest.Parser.ParseFrom(body)));
            return Results.Bytes([], "application/x-protobuf");
        }
        catch (Exception bad) when (bad is InvalidProtocolBufferException or InvalidDataException)
        {
            return Results.Problem($"The body is not an OTLP trace request: {bad.Message}", statusCode: 400);
        }
    }

    private static async Task<byte[]> ReadAsync(HttpContext context)
    {
        await using var source = context.Request.Headers.ContentEncoding == "gzip"
            ? new GZipStream(context.Request.Body, CompressionMode.Decompress)
            : context.Request.Body;
        using var body = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (await source.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
        {
            // A small archive can unpack to anything.
            if (body.Length + count > MaxBodyBytes)
                throw new InvalidDataException($"it unpacks to more than {MaxBodyBytes} bytes");
            body.Write(buffer, 0, count);
        }
        return body.ToArray();
    }
}
