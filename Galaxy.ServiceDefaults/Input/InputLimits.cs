namespace Galaxy.ServiceDefaults.Input;

/// <summary>
/// What JSON from outside may be, in request bodies, socket messages and state values alike. What is accepted can be
/// stored in a record, listed and sent on: every reader behind the edge takes deeper documents than this.
/// </summary>
public static class InputLimits
{
    /// <summary>
    /// Levels of objects and arrays. Readers and writers of the platform take 64; a record, a page and an event around
    /// it take a few.
    /// </summary>
    public const int MaxDepth = 48;

    /// <summary>
    /// Bytes of a request body that a service reads as JSON, unless an endpoint has a limit of its own.
    /// </summary>
    public const int MaxBodyBytes = 4 * 1024 * 1024;
}
