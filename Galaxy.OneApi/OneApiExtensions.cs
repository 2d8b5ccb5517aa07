using Galaxy.OneApi.Accounting;
using Galaxy.OneApi.Backends;
using Galaxy.OneApi.Cache;
using Galaxy.OneApi.Governance;
using Galaxy.OneApi.Http;
using Galaxy.OneApi.Models;
using Galaxy.OneApi.Providers;
using Galaxy.OneApi.Relay;
using Galaxy.OneApi.Requests;
using Galaxy.OneApi.Responses;
using Galaxy.OneApi.Routing;
using Galaxy.OneApi.Tokens;
using Galaxy.OneApi.Tools;
using Galaxy.ServiceDefaults;
using Galaxy.ServiceDefaults.Cluster;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.OneApi;

/// <summary>What the service is made of.</summary>
internal static class OneApiExtensions
{
    private const string ChatParameters =
        """{"type":"object","required":["model","messages"],"properties":{"model":"""
        + """{"type":"string","description":"provider/model, a route, or auto"},"messages":"""
        + """{"type":"array","minItems":1,"items":{"type":"object","required":"""
        + """["role","content"],"properties":{"role":{"type":"string"},"content":{}}}},"temperature":"""
        + """{"type":"number"},"max_tokens":{"type":"integer"}}}""";

    /// <exception cref="SettingException">A setting is not allowed.</exception>
    public static void AddOneApi(this WebApplicationBuilder builder, NodeOptions node, ListenAddresses addresses)
    {
        var services = builder.Services;
        services.AddSingleton(OneApiOptions.Read(builder.Configuration));
        services.AddSingleton<Func<double>>(Random.Shared.NextDouble);
        services.AddSingleton<ProviderCatalog>();
        services.AddSingleton<Upstream>();
        services.AddSingleton<ModelDirectory>();
        services.AddSingleton<ModelsApi.Catalog>();
        services.AddSingleton<ModelRules>();
        services.AddSingleton<KeyRing>();
        services.AddSingleton<TargetStats>();
        services.AddSingleton<ModelRouter>();
        services.AddSingleton<DeviceModels>();
        services.AddSingleton<Attempts>();
        GovernanceStore.AddClient(builder);
        services.AddSingleton<GovernanceStore>();
        services.AddSingleton<KeyStore>();
        services.AddSingleton<Limiter>();
        services.AddSingleton<Callers>();
        services.AddSingleton<UsageLog>();
        services.AddHostedService(provider => provider.GetRequiredService<UsageLog>());
        services.AddSingleton<Accounts>();
        services.AddSingleton<AnswerCache>();
        services.AddSingleton<ModelRelay>();
        services.AddSingleton<TokenCounter>();
        services.AddSingleton<ResponseStore>();
        services.AddSingleton<ResponseKeeper>();
        services.AddSingleton<BuiltInTools>();
        services.AddHealthChecks().AddCheck<ProviderHealth>("providers");
        services.AddApiDescription();
        services.AddClusterMember(
            new ServiceDescription(
                node.NodeId,
                "oneapi",
                "gateway",
                () => addresses.Url(0),
                [
                    new(
                        "llm.chat",
                        "Ask a language model, in the words of OpenAI's chat completions. 'llm.models' "
                            + "tells which models there are.",
                        "POST",
                        "/v1/chat/completions",
                        ChatParameters
                    ),
                    new(
                        "llm.models",
                        "The models that can be asked.",
                        "GET",
                        "/v1/models",
                        """{"type":"object","additionalProperties":false}"""
                    ),
                ]
            )
        );
    }
}
