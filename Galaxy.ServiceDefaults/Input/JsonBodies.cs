using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Galaxy.ServiceDefaults.Input;

/// <summary>An endpoint reads its body itself, with <see cref="JsonInput"/> or as something other than JSON.</summary>
public sealed class ReadsItsBody;

/// <summary>
/// The edge of every service: a JSON body is read whole and checked by <see cref="JsonInput"/> before an endpoint sees
/// it.
/// </summary>
public static class JsonBodies
{
    private static readonly string[] Charsets = ["utf-8", "utf8", "us-ascii"];

    /// <summary>Leave the body of these endpoints alone.</summary>
    public static TBuilder ReadsItsBody<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder => endpoints.WithMetadata(new ReadsItsBody());

    /// <summary>After authorization: the body of a caller without the right is not buffered.</summary>
    public static void UseJsonBodies(this WebApplication app) =>
        app.Use(next => context => IsRead(context) ? ReadAsync(context, next) : next(context));

    private static bool IsRead(HttpContext context) =>
        context.Request.HasJsonContentType()
        && context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true }
        && context.GetEndpoint()?.Metadata.GetMetadata<ReadsItsBody>() is null;

    private static async Task ReadAsync(HttpContext context, RequestDelegate next)
    {
        var (request, most) = (context.Request, InputLimits.MaxBodyBytes);
        // JSON is UTF-8 (RFC 8259, 8.1): the validation does not cover what another charset would make of these bytes.
        if (
            request.ContentType!.Contains("charset", StringComparison.OrdinalIgnoreCase)
            && request.GetTypedHeaders().ContentType?.Charset is { HasValue: true } charset
        )
        {
            if (!Charsets.Contains(charset.Value!.Trim('"'), StringComparer.OrdinalIgnoreCase))
            {
                await RefuseAsync(
                    context,
                    StatusCodes.Status415UnsupportedMediaType,
                    $"The charset '{charset}' is not taken: JSON is UTF-8."
                );
                return;
            }
            request.ContentType = "application/json";
        }
        if (request.ContentLength > most)
        {
            await RefuseAsync(context, StatusCodes.Status413PayloadTooLarge, TooLarge(most));
            return;
        }
        var body = new ArrayBufferWriter<byte>((int)(request.ContentLength ?? 4096) + 1);
        while (await request.Body.ReadAsync(body.GetMemory(), context.RequestAborted) is > 0 and var read)
        {
            body.Advance(read);
            if (body.WrittenCount > most)
            {
                await RefuseAsync(context, StatusCodes.Status413PayloadTooLarge, TooLarge(most));
                return;
            }
        }
        if (body.WrittenCount > 0 && JsonInput.Validate(body.WrittenSpan) is { } error)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, error.ToString());
            return;
        }
        var (before, bytes) = (request.Body, body.WrittenMemory.ToArray());
        using var replayed = new MemoryStream(bytes, writable: false);
        request.Body = replayed;
        try
        {
            await next(context);
        }
        finally
        {
            request.Body = before;
        }
    }

    private static string TooLarge(int most) => $"The body is larger than {most:N0} bytes.";

    private static Task RefuseAsync(HttpContext context, int status, string detail) =>
        Results.Problem(detail, statusCode: status).ExecuteAsync(context);
}
