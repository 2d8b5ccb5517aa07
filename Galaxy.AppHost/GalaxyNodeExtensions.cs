namespace Galaxy.AppHost;

/// <summary>What Galaxy's services have in common, in the vocabulary of the AppHost.</summary>
internal static class GalaxyNodeExtensions
{
    /// <summary>A name, the cluster's key, loopback only, and a health check.</summary>
    public static IResourceBuilder<ProjectResource> AsGalaxyNode(
        this IResourceBuilder<ProjectResource> project, string nodeId, IResourceBuilder<ParameterResource> key, string? healthEndpoint = null) => project
        .WithEnvironment("Galaxy_NODE_ID", nodeId)
        .WithEnvironment("GALAXY_API_KEY", key)
        .WithEnvironment("GALAXY_BIND", "127.0.0.1")
        .WithHttpHealthCheck("/alive", endpointName: healthEndpoint);

    /// <summary>Gives a coordinator its store, or all stores of a quorum.</summary>
    public static IResourceBuilder<ProjectResource> Uses(this IResourceBuilder<ProjectResource> project, IEnumerable<IResourceBuilder<RedisResource>> stores)
    {
        foreach (var store in stores)
            project.WithReference(store).WaitFor(store);
        return project;
    }

    /// <summary>Tells a service where the coordinators' gRPC endpoints are.</summary>
    public static IResourceBuilder<ProjectResource> Knows(
        this IResourceBuilder<ProjectResource> project, IEnumerable<IResourceBuilder<ProjectResource>> coordinators)
    {
        foreach (var coordinator in coordinators)
            project.WithReference(coordinator.GetEndpoint("grpc"));
        return project;
    }
}
