using Galaxy.Discovery;
using Galaxy.ServiceDefaults.Hosting;

return await GalaxyApp.RunAsync(args, new ListenPort("HTTP_PORT", 8037), async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    await builder.AddDiscoveryAsync();

    var app = builder.Build();
    app.UseDiscovery();
    return app;
});
