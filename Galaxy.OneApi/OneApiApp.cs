using Galaxy.OneApi.Http;
using Galaxy.OneApi.Providers;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Configuration;
using Galaxy.ServiceDefaults.Health;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.OneApi;

/// <summary>The service, put together.</summary>
internal static class OneApiApp
{
    /// <exception cref="SettingException">A setting is not allowed.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        var node = builder.AddServiceDefaults("oneapi");
        builder.AddGalaxyConfiguration();
        builder.AddOneApi(node, builder.Listen(node, new ListenPort("HTTP_PORT", 8001)));

        var app = builder.Build();
        // Wrong settings end the start, not the first request.
        app.Services.GetRequiredService<ProviderCatalog>();
        app.UseReadiness();
        // Otherwise the library puts it first, and endpoints that end the pipeline there would be before it.
        app.UseRouting();
        app.UseServiceDefaults();
        app.MapDefaultEndpoints();
        app.MapChatApi();
        app.MapResponsesApi();
        app.MapMediaApi();
        app.MapModelsApi();
        app.Access(read: AccessRole.Operator, write: AccessRole.Admin).MapKeysApi();
        app.Access(read: AccessRole.Operator, write: AccessRole.Admin).MapUsageApi();
        app.Access(read: AccessRole.Operator, write: AccessRole.Admin).MapProvidersApi();
        var clients = app.Access(read: AccessRole.Client, write: AccessRole.Client);
        clients.MapToolsApi();
        clients.MapOpenApi();
        return app;
    }
}
