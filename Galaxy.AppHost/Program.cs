using Galaxy.AppHost.Startup;

// The whole system, as one picture. `-- --help` lists the options; Galaxy.LocalHosting/Description has the ports of
// each service.
return await AppHostProgram.RunAsync(args, galaxy =>
{
    // Exclusive data: the lease with its token, tasks and results. One store, or three or five that make a quorum.
    var stores = galaxy.Layout.Stores.Select(galaxy.AddGalaxyStore).ToList();

    // The web interface; it also receives telemetry, beside the dashboard of Aspire.
    var console = galaxy.AddConsole("console");

    // Any coordinator can lead; the others replicate its state and take over when it dies.
    var coordinators = galaxy
        .Layout.Coordinators.Select(coordinator => galaxy.AddCoordinator(coordinator.Name).WithStores(stores))
        .ToList();
    coordinators.ForEach(coordinator => coordinator.WithCoordinators(coordinators));
    console.WithCoordinators(coordinators);

    // Routers choose a device or a service for a request; OneApi chooses a model provider.
    var routers = galaxy.Layout.Routers.Select(name => galaxy.AddRouter(name).WithCoordinators(coordinators)).ToList();
    var oneApis = galaxy
        .Layout.OneApis.Select(name =>
            galaxy.AddOneApi(name).WithCoordinators(coordinators).WithStores(stores).WithProviderKeys()
        )
        .ToList();

    // The one address in front of everything: it follows the leader.
    var gateway = galaxy
        .AddGateway("gateway")
        .WithCoordinators(coordinators)
        .WithReferences([console, .. routers, .. oneApis]);

    // Finds the nodes of other machines by mDNS, SSDP, UDP, seeds and the store.
    galaxy.AddDiscovery("discovery").WithCoordinators(coordinators).WithStores(stores);

    // Two demo devices.
    foreach (var name in galaxy.Layout.Workers)
        galaxy.AddWorker(name).WithGateway(gateway);
});
