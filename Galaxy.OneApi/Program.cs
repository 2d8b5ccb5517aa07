using Galaxy.OneApi.Chat;
using Galaxy.OneApi.Models;
using Galaxy.OneApi.Providers;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Hosting;

return await GalaxyApp.RunAsync(() =>
{
    var builder = WebApplication.CreateBuilder(args);
    var node = builder.AddServiceDefaults("oneapi");
    var addresses = builder.Listen(node, new ListenPort("HTTP_PORT", 8001));
    builder.Services.AddSingleton(new ProviderCatalog(builder.Configuration));
    builder.Services.AddSingleton<Upstream>();
    builder.Services.AddSingleton<ModelDirectory>();
    builder.Services.AddClusterMember(new ServiceDescription(node.NodeId, "oneapi", "gateway", addresses.Url(0), ["llm.chat"]));

    var app = builder.Build();
    app.UseServiceDefaults();
    app.MapDefaultEndpoints();
    app.MapChatApi();
    app.MapModelsApi();
    return app;
});
