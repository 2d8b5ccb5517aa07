using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Dialects.OpenAi;

/// <summary>OpenAI's error object, both ways.</summary>
internal static class OpenAiErrors
{
    public static JsonObject Write(ModelError error) =>
        new()
        {
            ["error"] = new JsonObject
            {
                ["message"] = error.Message,
                ["type"] = Type(error.Kind),
                ["param"] = error.Field,
                ["code"] = Code(error.Kind),
            },
        };

    private static string Type(ErrorKind kind) =>
        kind switch
        {
            ErrorKind.Authentication => "authentication_error",
            ErrorKind.Permission => "permission_error",
            ErrorKind.RateLimited => "rate_limit_error",
            ErrorKind.Budget => "insufficient_quota",
            ErrorKind.Upstream or ErrorKind.Timeout => "upstream_error",
            ErrorKind.Overloaded or ErrorKind.Unavailable or ErrorKind.Internal => "server_error",
            _ => "invalid_request_error",
        };

    private static string? Code(ErrorKind kind) =>
        kind switch
        {
            ErrorKind.Unsupported => "unsupported_parameter",
            ErrorKind.Authentication => "invalid_api_key",
            ErrorKind.Permission => "model_not_allowed",
            ErrorKind.NotFound => "model_not_found",
            ErrorKind.TooLarge => "request_too_large",
            ErrorKind.RateLimited => "rate_limit_exceeded",
            ErrorKind.Budget => "insufficient_quota",
            ErrorKind.ContextLength => "context_length_exceeded",
            ErrorKind.ContentFilter => "content_filter",
            ErrorKind.Timeout => "upstream_timeout",
            ErrorKind.Upstream => "upstream_failed",
            ErrorKind.Overloaded => "overloaded",
            ErrorKind.Unavailable => "unavailable",
            ErrorKind.Internal => "internal_error",
            _ => null,
        };

    public static ModelError Read(int status, JsonNode? body)
    {
        var json = body as JsonObject;
        var error = json.Get("error");
        var message = ChatAnswer.Text(error)
            ?? ChatAnswer.Text(error.Get("message"))
            ?? ChatAnswer.Text(json.Get("message"))
            ?? ChatAnswer.Text(json.Get("detail"))
            ?? $"It answered with status {status}.";
        var code = error is JsonObject ? ChatAnswer.Text(error["code"]) ?? "" : "";
        var kind = code switch
        {
            "context_length_exceeded" => ErrorKind.ContextLength,
            "content_filter" or "content_policy_violation" => ErrorKind.ContentFilter,
            "insufficient_quota" => ErrorKind.RateLimited,
            _ => KindOf(status, message),
        };
        return new ModelError(kind, message, error is JsonObject ? ChatAnswer.Text(error["param"]) : null);
    }

    /// <summary>
    /// What a status means, in every dialect; some providers say only in words that the conversation is too long.
    /// </summary>
    public static ErrorKind KindOf(int status, string message) =>
        status switch
        {
            400 or 413 or 422 when IsTooLong(message) => ErrorKind.ContextLength,
            401 => ErrorKind.Authentication,
            403 => ErrorKind.Permission,
            404 => ErrorKind.NotFound,
            408 => ErrorKind.Timeout,
            413 => ErrorKind.TooLarge,
            429 or 402 => ErrorKind.RateLimited,
            503 or 529 => ErrorKind.Overloaded,
            >= 500 => ErrorKind.Upstream,
            _ => ErrorKind.InvalidRequest,
        };

    private static bool IsTooLong(string message) =>
        message.Contains("context length", StringComparison.OrdinalIgnoreCase)
        || message.Contains("context window", StringComparison.OrdinalIgnoreCase)
        || message.Contains("prompt is too long", StringComparison.OrdinalIgnoreCase)
        || message.Contains("maximum number of tokens", StringComparison.OrdinalIgnoreCase)
        || message.Contains("context_length", StringComparison.OrdinalIgnoreCase);
}
