using System.Text.Json;
using Galaxy.Core.Routing;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Router.Routing;

/// <summary>A target as the API shows it.</summary>
/// <param name="Kind"><c>service</c> or <c>device</c>.</param>
/// <param name="Load">0 to 1, as it says itself.</param>
internal sealed record TargetView(
    string Id,
    string Kind,
    string Type,
    string Layer,
    string Url,
    string Status,
    double Load,
    string? Location,
    IReadOnlyDictionary<string, string>? Labels,
    IReadOnlyList<string> Capabilities
)
{
    /// <summary>Requests that this router has there now.</summary>
    public int? InFlight { get; init; }

    /// <summary>Moving average, ms.</summary>
    public double? LatencyMs { get; init; }

    /// <summary><c>open</c> or <c>half_open</c> while it is ejected.</summary>
    public string? Breaker { get; init; }

    /// <summary>What the cluster knows.</summary>
    public static TargetView Of(RouteTarget target) =>
        new(
            target.Id,
            target.IsDevice ? "device" : "service",
            target.Type,
            target.Layer,
            target.Url,
            Word(target.Status),
            target.Load,
            target.Location.Length > 0 ? target.Location : null,
            target.Labels.Count > 0 ? target.Labels : null,
            [.. target.Capabilities.Select(one => one.Name)]
        );

    /// <summary>The same with what this router has found out.</summary>
    public static TargetView Of(RouteTarget target, TargetState? state, TimeSpan now) =>
        state is null
            ? Of(target)
            : Of(target) with
            {
                Status = Word(RoutingTable.StatusOf(target, state)),
                InFlight = state.InFlight,
                LatencyMs = state.LatencyAt(now) is > 0 and var latency ? Math.Round(latency, 3) : null,
                Breaker = state.Breaker.StateAt(now) switch
                {
                    BreakerState.Open => "open",
                    BreakerState.HalfOpen => "half_open",
                    _ => null,
                },
            };

    public static byte[] ToJson(RouteTarget target) =>
        JsonSerializer.SerializeToUtf8Bytes(Of(target), GalaxyJson.Options);

    public static string Word(TargetStatus status) => JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString());
}
