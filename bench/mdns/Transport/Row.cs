namespace Galaxy.Bench.Mdns.Transport;

/// <summary>A criterion, whether the subject met it, and what was measured.</summary>
internal sealed record Row(string Criterion, bool Met, string Measured);
