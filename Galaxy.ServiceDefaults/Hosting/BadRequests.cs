using System.Text.Json;
using Galaxy.ServiceDefaults.Input;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Galaxy.ServiceDefaults.Hosting;

/// <summary>
/// Turns what the framework could not read of a request into a problem document that names the field, and logs defects.
/// </summary>
internal sealed partial class BadRequests(ILogger<BadRequests> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(
        HttpContext httpContext,
        Exception exception,
        CancellationToken cancellationToken
    )
    {
        if (exception is not BadHttpRequestException bad)
        {
            // A defect of this service: the client learns only that there was one.
            if (!httpContext.RequestAborted.IsCancellationRequested)
                LogDefect(exception, httpContext.Request.Method, httpContext.Request.Path);
            return false;
        }
        await Results.Problem(Describe(bad), statusCode: bad.StatusCode).ExecuteAsync(httpContext);
        return true;
    }

    private static string Describe(BadHttpRequestException bad) =>
        bad switch
        {
            // The contract's own checks are sentences that name the field.
            { InnerException: JsonException { Message: ['\'', ..] } json } => Contract(json),
            { InnerException: JsonException json } when JsonFaults.Describe(json) is { } sentence => sentence,
            { InnerException: JsonException { Path: { Length: > 2 } path } json } =>
                $"'{path[2..]}' in the body cannot be read: {FirstSentence(json.Message)}",
            { InnerException: JsonException json } =>
                $"The body is not the JSON that is expected here: {FirstSentence(json.Message)}",
            { StatusCode: StatusCodes.Status415UnsupportedMediaType } =>
                "Send the body as JSON, with 'Content-Type: application/json'.",
            { Message: var message }
                when message.StartsWith("Implicit body inferred", StringComparison.Ordinal)
                    || message.Contains("no body was provided", StringComparison.Ordinal) => "A JSON body is required.",
            _ => bad.Message,
        };

    private static string Contract(JsonException json)
    {
        var sentence = FirstSentence(json.Message);
        return json.Path is { Length: > 2 } path ? $"'{path[2..]}.{sentence[1..]}" : sentence;
    }

    // What follows is the parser's position and the name of a .NET type.
    private static string FirstSentence(string message)
    {
        var end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        return (end < 0 ? message : message[..end]).TrimEnd('.') + ".";
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private partial void LogDefect(Exception failure, string method, string path);
}
