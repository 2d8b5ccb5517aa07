using System.Diagnostics.Metrics;
using Galaxy.Gateway.Leadership;
using Galaxy.Gateway.Replay;

namespace Galaxy.Gateway.Telemetry;

/// <summary>What an operator would ask of a gateway, at <c>/metrics</c> and over OTLP.</summary>
internal sealed class GatewayMetrics : IDisposable
{
    private readonly Meter _meter = new("Galaxy.Gateway");

    public GatewayMetrics(LeaderHold hold, KeptBodies bodies)
    {
        _meter.CreateObservableGauge(
            "galaxy.gateway.held",
            () => hold.Held,
            "{request}",
            "Requests that wait for a leader"
        );
        _meter.CreateObservableGauge(
            "galaxy.gateway.kept",
            () => bodies.Kept,
            "By",
            "Bodies that are kept to be sent again"
        );
        Replays = _meter.CreateCounter<long>("galaxy.gateway.replays", "{request}", "Requests that were sent again");
        Refusals = _meter.CreateCounter<long>(
            "galaxy.gateway.refusals",
            "{request}",
            "Requests that were too fast, or came from where wrong keys came from"
        );
    }

    public Counter<long> Replays { get; }

    public Counter<long> Refusals { get; }

    public void Dispose() => _meter.Dispose();
}
