using System.Text.Json.Nodes;
using Galaxy.OneApi.Dialects.OpenAi;

namespace Galaxy.OneApi.Dialects.Anthropic;

/// <summary>Anthropic's error object, both ways.</summary>
internal static class AnthropicErrors
{
    public static JsonObject Write(ModelError error) =>
        new()
        {
            ["type"] = "error",
            ["error"] = new JsonObject
            {
                ["type"] = Type(error.Kind),
                ["message"] = error.Field is null ? error.Message : Named(error),
            },
        };

    // There is no field for the field.
    private static string Named(ModelError error) =>
        error.Message.Contains(error.Field!, StringComparison.Ordinal)
            ? error.Message
            : $"{error.Field}: {error.Message}";

    private static string Type(ErrorKind kind) =>
        kind switch
        {
            ErrorKind.Authentication => "authentication_error",
            ErrorKind.Permission => "permission_error",
            ErrorKind.NotFound => "not_found_error",
            ErrorKind.TooLarge => "request_too_large",
            ErrorKind.RateLimited => "rate_limit_error",
            ErrorKind.Budget => "billing_error",
            ErrorKind.Overloaded or ErrorKind.Unavailable => "overloaded_error",
            ErrorKind.Timeout => "timeout_error",
            ErrorKind.Upstream or ErrorKind.Internal => "api_error",
            _ => "invalid_request_error",
        };

    public static ModelError Read(int status, JsonNode? body)
    {
        var error = (body as JsonObject).Get("error");
        var message = ChatAnswer.Text(error.Get("message")) ?? $"It answered with status {status}.";
        var kind = ChatAnswer.Text(error.Get("type")) switch
        {
            "overloaded_error" => ErrorKind.Overloaded,
            "rate_limit_error" or "billing_error" => ErrorKind.RateLimited,
            "authentication_error" => ErrorKind.Authentication,
            "permission_error" => ErrorKind.Permission,
            "not_found_error" => ErrorKind.NotFound,
            "request_too_large" => ErrorKind.TooLarge,
            "timeout_error" => ErrorKind.Timeout,
            "invalid_request_error" => OpenAiErrors.KindOf(400, message),
            _ => OpenAiErrors.KindOf(status, message),
        };
        return new ModelError(kind, message);
    }
}
