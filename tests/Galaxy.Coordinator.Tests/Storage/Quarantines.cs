using System.Diagnostics.Metrics;
using Galaxy.Coordinator.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Galaxy.Coordinator.Tests.Storage;

/// <summary>Makes quarantines for tests.</summary>
internal static class Quarantines
{
    public static Quarantine New() => new(TimeProvider.System, new Meters(), NullLogger<Quarantine>.Instance);

    private sealed class Meters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options.Name);

        public void Dispose() { }
    }
}
