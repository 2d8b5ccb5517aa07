using System.Globalization;
using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;

namespace Galaxy.AppHost.Resources;

/// <summary>
/// The ports of a run, chosen before anything is started, so that a port that is taken is said at once.
/// </summary>
internal static class PortPlan
{
    /// <summary>The setting that names the port of Aspire's dashboard.</summary>
    public const string DashboardVariable = "DASHBOARD_PORT";

    /// <summary>
    /// The port of the dashboard that the command line or the environment asks for; null: neither does; 0: a free one.
    /// </summary>
    /// <exception cref="SystemOptionException">The setting is no port.</exception>
    public static int? DashboardPort(SystemOptions options) =>
        options.Setting(DashboardVariable) is not { } text ? null
        : ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given
        : throw new SystemOptionException(
            $"{DashboardVariable} is '{text}'. Allowed: a port, 1 to 65535, or 0 for a free one."
        );

    /// <exception cref="PortTakenException">A fixed port is taken.</exception>
    public static IReadOnlyDictionary<(string Resource, string Endpoint), int> Make(SystemOptions options)
    {
        var layout = options.Layout;
        var requests = new[]
        {
            layout.Stores.Select(name => (GalaxyServices.Store, name)),
            layout.Coordinators.Select(coordinator => (GalaxyServices.Coordinator, coordinator.Name)),
            layout.Routers.Select(name => (GalaxyServices.Router, name)),
            layout.OneApis.Select(name => (GalaxyServices.OneApi, name)),
            [
                (GalaxyServices.Console, "console"),
                (GalaxyServices.Gateway, "gateway"),
                (GalaxyServices.Discovery, "discovery"),
            ],
        }
            .SelectMany(services => services)
            .SelectMany(service =>
                service.Item1.Endpoints.Select(endpoint => new PortRequest(
                    service.Item2,
                    endpoint.Name,
                    options.Port(endpoint),
                    endpoint.IsPublic ? endpoint.Variable : null
                ))
            );
        if (DashboardPort(options) is > 0 and var dashboard)
            requests = requests.Append(new PortRequest("dashboard", "web interface", dashboard, DashboardVariable));
        return LocalPorts
            .Allocate(requests)
            .ToDictionary(port => (port.Key.Process, port.Key.Endpoint), port => port.Value);
    }
}
