using System.Globalization;
using System.Security.Cryptography;
using Galaxy.LocalHosting.Description;

namespace Galaxy.AppHost.Resources;

/// <summary>The console as a second receiver of telemetry, beside the dashboard of Aspire.</summary>
/// <param name="port">The port of its OTLP/gRPC endpoint; null: there is none.</param>
internal sealed class TelemetryReceiver(int? port)
{
    private readonly string _token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public IReadOnlyList<(string Name, string Value)> Environment =>
        port is null
            ? []
            :
            [
                (
                    ServiceEnvironment.ConsoleTelemetry,
                    string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")
                ),
                (ServiceEnvironment.ConsoleTelemetryToken, _token),
            ];
}
