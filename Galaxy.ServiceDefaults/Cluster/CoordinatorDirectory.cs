using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;

namespace Galaxy.ServiceDefaults.Cluster;

/// <summary>Where coordinators are, before any has been asked.</summary>
public static class CoordinatorDirectory
{
    /// <summary>
    /// <c>GALAXY_COORDINATORS</c> (gRPC addresses, comma-separated), every <c>services:coordinator*:grpc</c> that
    /// Aspire or the AppHost and the supervisor inject, and the seeds.
    /// </summary>
    public static IReadOnlyList<string> Read(IConfiguration configuration, NodeOptions node)
    {
        var named = NodeOptionsReader.Addresses(configuration, "GALAXY_COORDINATORS");
        var injected = configuration
            .GetSection("services")
            .GetChildren()
            .Where(service => service.Key.StartsWith("coordinator", StringComparison.OrdinalIgnoreCase))
            .SelectMany(service => service.GetSection("grpc").GetChildren())
            .Select(address => address.Value)
            .OfType<string>();
        // A service name (_galaxy._tcp.example.org) is no address: discovery looks it up.
        return
        [
            .. named
                .Concat(injected)
                .Concat(node.Seeds.Where(seed => !seed.StartsWith('_')))
                .Select(WithScheme)
                .Distinct(StringComparer.OrdinalIgnoreCase),
        ];
    }

    private static string WithScheme(string address) =>
        (address.Contains("://", StringComparison.Ordinal) ? address : "http://" + address).TrimEnd('/');
}
