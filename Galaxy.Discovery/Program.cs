using Galaxy.Discovery;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Store;

return await GalaxyApp.RunAsync(args, new ListenPort("HTTP_PORT", 8037), async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddDiscovery();

    var app = builder.Build();
    if (RedisStore.IsConfigured(app.Configuration))
        await app.ConnectStoresAsync();
    app.UseDiscovery();
    return app;
});
