using Galaxy.LocalHosting.Description;

namespace Galaxy.AppHost.Resources;

/// <summary>The keys of model providers as parameters that need no value.</summary>
internal static class ProviderParameters
{
    public static IEnumerable<(string Variable, IResourceBuilder<ParameterResource> Parameter)> Add(
        IDistributedApplicationBuilder builder,
        SystemOptions options
    )
    {
        foreach (var variable in KnownSettings.ProviderKeys)
        {
            var name = variable.ToLowerInvariant().Replace('_', '-');
            // A value that was filled in at the dashboard and saved counts; an empty one means that the provider is not
            // used.
            yield return (
                variable,
                builder
                    .AddParameter(
                        name,
                        () => options.Setting(variable) ?? builder.Configuration["Parameters:" + name] ?? "",
                        secret: true
                    )
                    .WithDescription(
                        $"The key of a model provider ({variable}). Optional: without it the provider's "
                            + "models are not offered."
                    )
            );
        }
    }
}
