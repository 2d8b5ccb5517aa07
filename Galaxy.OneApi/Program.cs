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
    builder.Services.AddClusterMember(new ServiceDescription(node.NodeId, "oneapi", "gateway", () => addresses.Url(0), 
    [
        new("llm.chat", "Ask a language model, in the words of OpenAI's chat completions. 'llm.models' tells which models there are.", "POST", "/v1/chat/completions",
            """{"type":"object","required":["model","messages"],"properties":{"model":{"type":"string","description":"provider/model"},"messages":{"type":"array","minItems":1,"items":{"type":"object","required":["role","content"],"properties":{"role":{"type":"string"},"content":{}}}},"temperature":{"type":"number"},"max_tokens":{"type":"integer"}}}"""),
        new("llm.models", "The models that can be asked.", "GET", "/v1/models", """{"type":"object","additionalProperties":false}"""),
    ]));

    var app = builder.Build();
    // Wrong settings end the start, not the first request.
    app.Services.GetRequiredService<ProviderCatalog>();
    app.UseServiceDefaults();
    app.MapDefaultEndpoints();
    app.MapChatApi();
    app.MapModelsApi();
    return app;
});
