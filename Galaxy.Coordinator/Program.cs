using Galaxy.Coordinator;
using Galaxy.Coordinator.Hosting;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;

return await GalaxyApp.RunAsync(args, new ListenPort("HTTP_PORT", 8071), async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddCoordinatorProcess();

    var app = builder.Build();
    await app.ConnectStoresAsync();
    app.UseCoordinator();
    return app;
});
