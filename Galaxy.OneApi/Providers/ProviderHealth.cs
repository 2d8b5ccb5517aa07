using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Galaxy.OneApi.Providers;

/// <summary>
/// Names the providers that can be used; without any, <c>galaxy/echo</c> still answers, so the service is well.
/// </summary>
internal sealed class ProviderHealth(ProviderCatalog providers) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) => Task.FromResult(HealthCheckResult.Healthy(string.Join(", ", providers.Names)));
}
