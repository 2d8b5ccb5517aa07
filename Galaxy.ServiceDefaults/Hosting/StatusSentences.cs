using Microsoft.AspNetCore.Http;

namespace Galaxy.ServiceDefaults.Hosting;

/// <summary>What the framework refuses by a status alone is said in a sentence with the cure.</summary>
internal static class StatusSentences
{
    public static void Add(ProblemDetailsContext context) =>
        context.ProblemDetails.Detail ??= context.HttpContext.Response switch
        {
            { StatusCode: StatusCodes.Status415UnsupportedMediaType } =>
                "Send the body as JSON, with 'Content-Type: application/json'.",
            { StatusCode: StatusCodes.Status405MethodNotAllowed } response
                when response.Headers.Allow.ToString() is { Length: > 0 } allowed =>
                $"{context.HttpContext.Request.Method} is not taken here. Allowed: {allowed}.",
            { StatusCode: StatusCodes.Status404NotFound } => $"There is nothing at {context.HttpContext.Request.Path}.",
            _ => null,
        };
}
