namespace Galaxy.Core.Clocks;

/// <summary>Times in milliseconds since 1970, as they come over the wire and from the disk: any number may.</summary>
public static class UnixTime
{
    private static readonly long Earliest = DateTimeOffset.MinValue.ToUnixTimeMilliseconds();
    private static readonly long Latest = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>
    /// The moment; the nearest one that can be shown when it lies beyond the calendar (years 1 to 9999).
    /// </summary>
    /// <param name="milliseconds">Since 1970-01-01T00:00:00Z.</param>
    public static DateTimeOffset At(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(milliseconds, Earliest, Latest));
}
