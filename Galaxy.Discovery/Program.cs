using Galaxy.Discovery;
using Galaxy.ServiceDefaults.Hosting;

return await GalaxyApp.RunAsync(async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    await builder.AddDiscoveryAsync();

    var app = builder.Build();
    app.UseDiscovery();
    return app;
});
