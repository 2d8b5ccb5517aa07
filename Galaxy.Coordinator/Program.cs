using Galaxy.Coordinator;
using Galaxy.ServiceDefaults.Hosting;

return await GalaxyApp.RunAsync(async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    await builder.AddCoordinatorAsync();

    var app = builder.Build();
    app.UseCoordinator();
    return app;
});
