using Galaxy.AppHost.Startup;
using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;

namespace Galaxy.AppHost.Resources;

/// <summary>The ports of a run, chosen before anything is started, so that a port that is taken is said at once.</summary>
internal static class PortPlan
{
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
        if (HostSettings.AskedDashboardPort(options) is > 0 and var dashboard)
            requests = requests.Append(
                new PortRequest("dashboard", "web interface", dashboard, HostSettings.DashboardPort)
            );
        return LocalPorts
            .Allocate(requests)
            .ToDictionary(port => (port.Key.Process, port.Key.Endpoint), port => port.Value);
    }
}
