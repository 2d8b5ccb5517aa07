namespace Galaxy.Core.Scheduling;

/// <summary>A device at the board: what it is, and what it has been given.</summary>
internal sealed class Seat(BoardDevice device)
{
    private const double Smoothing = 0.2;

    public BoardDevice Device { get; set; } = device;

    /// <summary>Its socket is open and it may be given tasks.</summary>
    public bool IsPresent { get; set; }

    /// <summary>Tasks that are out to it.</summary>
    public HashSet<string> Tasks { get; } = new(StringComparer.Ordinal);
    public Resources Used { get; set; }

    /// <summary>Tasks that it has been given since this term began.</summary>
    public long Served { get; set; }

    /// <summary>Smoothed time from the dispatch to the result, in ms; 0: unknown.</summary>
    public double LatencyMs { get; private set; }

    public double Load => Device.Slots <= 0 ? 1 : (double)Tasks.Count / Device.Slots;

    public double FairShare => Served / (Device.Weight > 0 ? Device.Weight : 0.01);

    /// <summary>Expected wait: latency times what is before us, counting us.</summary>
    public double Wait => (LatencyMs > 0 ? LatencyMs : 1) * (Tasks.Count + 1);

    public void Learn(TimeSpan latency) =>
        LatencyMs =
            LatencyMs > 0
                ? LatencyMs + Smoothing * (latency.TotalMilliseconds - LatencyMs)
                : Math.Max(latency.TotalMilliseconds, 0.001);

    public bool HasRoom(Resources wanted) =>
        IsPresent
        && Tasks.Count < Device.Slots
        && (wanted.IsNothing || Device.Room is not { } room || (Used + wanted).FitsInto(room));
}
