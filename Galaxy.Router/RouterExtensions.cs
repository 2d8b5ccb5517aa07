using Galaxy.Router.Health;
using Galaxy.Router.Invocation;
using Galaxy.Router.Mcp;
using Galaxy.Router.OpenApi;
using Galaxy.Router.Registration;
using Galaxy.Router.Routing;
using Galaxy.Router.Rules;
using Galaxy.Router.Tools;

namespace Galaxy.Router;

/// <summary>The parts of the router.</summary>
internal static class RouterExtensions
{
    public static void AddRouter(this IServiceCollection services)
    {
        services.AddSingleton<RouterRules>();
        services.AddSingleton<RouterTable>();
        services.AddHostedService(provider => provider.GetRequiredService<RouterTable>());
        services.AddSingleton<TargetHttp>();
        services.AddSingleton<ActiveChecks>();
        services.AddHostedService(provider => provider.GetRequiredService<ActiveChecks>());
        services.AddSingleton<InvokeLatencies>();
        services.AddSingleton<ServiceCaller>();
        services.AddSingleton<DeviceCaller>();
        services.AddSingleton<Invoker>();
        services.AddSingleton<ToolRunner>();
        services.AddClusterTools();
        services.AddApiDescription();
        services.AddHostedService<LeaderTrace>();
    }
}
