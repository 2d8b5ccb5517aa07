using Galaxy.Coordinator;
using Galaxy.ServiceDefaults.Hosting;

return await GalaxyApp.RunAsync(args, new ListenPort("HTTP_PORT", 8071), async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    await builder.AddCoordinatorAsync();

    var app = builder.Build();
    app.UseCoordinator();
    return app;
});
