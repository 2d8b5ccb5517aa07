using System.Diagnostics.Metrics;

namespace Galaxy.Gateway.Telemetry;

/// <summary>What an operator would ask of a gateway, at <c>/metrics</c> and over OTLP.</summary>
internal sealed class GatewayMetrics : IDisposable
{
    private readonly Meter _meter = new("Galaxy.Gateway");

    public GatewayMetrics()
    {
        Replays = _meter.CreateCounter<long>("galaxy.gateway.replays", "{request}", "Requests that were sent again");
        Refusals = _meter.CreateCounter<long>(
            "galaxy.gateway.refusals",
            "{request}",
            "Requests that were too fast, or came from where wrong keys came from"
        );
    }

    public Counter<long> Replays { get; }

    public Counter<long> Refusals { get; }

    /// <summary>Creates gauges of what other classes count, each read at every collection.</summary>
    /// <param name="waitingRequests">Requests that wait for a leader.</param>
    /// <param name="bufferedBytes">Bytes of request bodies that are kept to be sent again.</param>
    public void Observe(Func<int> waitingRequests, Func<long> bufferedBytes)
    {
        _meter.CreateObservableGauge(
            "galaxy.gateway.held",
            waitingRequests,
            "{request}",
            "Requests that wait for a leader"
        );
        _meter.CreateObservableGauge(
            "galaxy.gateway.kept",
            bufferedBytes,
            "By",
            "Bodies that are kept to be sent again"
        );
    }

    public void Dispose() => _meter.Dispose();
}
