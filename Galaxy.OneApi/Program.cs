using Galaxy.OneApi.Chat;
using Galaxy.OneApi.Models;
using Galaxy.OneApi.Providers;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Hosting;

return await GalaxyApp.RunAsync(() =>
{
    var builder = WebApplication.CreateBuilder(args);
    var node = builder.AddServiceDefaults("oneapi");
    builder.AddGalaxyConfiguration();
    var addresses = builder.Listen(node, new ListenPort("HTTP_PORT", 8001));
    builder.Services.AddSingleton<ProviderCatalog>();
    builder.Services.AddSingleton<Upstream>();
    builder.Services.AddSingleton<ModelDirectory>();
    builder.Services.AddClusterMember(new ServiceDescription(node.NodeId, "oneapi", "gateway", () => addresses.Url(0), ["llm.chat"]));

    var app = builder.Build();
    // Wrong settings end the start, not the first request.
    app.Services.GetRequiredService<ProviderCatalog>();
    app.UseServiceDefaults();
    app.MapDefaultEndpoints();
    app.MapChatApi();
    app.MapModelsApi();
    return app;
});
