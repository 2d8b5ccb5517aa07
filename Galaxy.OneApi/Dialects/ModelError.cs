namespace Galaxy.OneApi.Dialects;

/// <summary>What went wrong, in no dialect.</summary>
internal enum ErrorKind
{
    InvalidRequest,
    Unsupported,
    Authentication,
    Permission,
    NotFound,
    TooLarge,
    RateLimited,
    Budget,
    ContextLength,
    ContentFilter,
    Overloaded,
    Upstream,
    Timeout,
    Unavailable,
    Internal,
}

/// <param name="Field">The client's field that is to blame, if one is.</param>
/// <param name="RetryAfter">When to try again, if that is known.</param>
internal sealed record ModelError(ErrorKind Kind, string Message, string? Field = null, TimeSpan? RetryAfter = null)
{
    /// <summary>The status that clients of every dialect expect.</summary>
    public int Status =>
        Kind switch
        {
            ErrorKind.InvalidRequest or ErrorKind.Unsupported or ErrorKind.ContextLength or ErrorKind.ContentFilter =>
                400,
            ErrorKind.Authentication => 401,
            ErrorKind.Permission => 403,
            ErrorKind.NotFound => 404,
            ErrorKind.TooLarge => 413,
            ErrorKind.RateLimited or ErrorKind.Budget => 429,
            ErrorKind.Upstream => 502,
            ErrorKind.Overloaded or ErrorKind.Unavailable => 503,
            ErrorKind.Timeout => 504,
            _ => 500,
        };

    public static ModelError Invalid(string message, string? field = null) =>
        new(ErrorKind.InvalidRequest, message, field);
}

/// <summary>A request that is not what its dialect allows. The message names the field.</summary>
internal sealed class BadFieldException(string name, string message) : Exception(message)
{
    public string Field => name;

    public ModelError Error => ModelError.Invalid(Message, Field);
}
