namespace Galaxy.OneApi.Errors;

/// <summary>Errors in the shape that OpenAI's clients expect.</summary>
internal static class OpenAiError
{
    public static IResult Result(int status, string message, string type, string? param = null, string? code = null) =>
        Results.Json(new { error = new { message, type, param, code } }, options: null, contentType: "application/json", statusCode: status);

    public static IResult Invalid(string message, string? param = null) => Result(400, message, "invalid_request_error", param);

    public static IResult UnknownModel(string model, IEnumerable<string> providers) => Result(
        404, $"The model '{model}' is not known. Name it as provider/model; configured providers: {string.Join(", ", providers)}.",
        "invalid_request_error", "model", "model_not_found");
}
