namespace Galaxy.AppHost;

/// <summary>What Galaxy's services have in common, in the vocabulary of the AppHost.</summary>
internal static class GalaxyNodeExtensions
{
    /// <summary>A name, the cluster's key, a folder of its own, and a health check; on this machine loopback only, published every address of its container.</summary>
    public static IResourceBuilder<ProjectResource> AsGalaxyNode(
        this IResourceBuilder<ProjectResource> project, string nodeId, IResourceBuilder<ParameterResource> key, string data, string? healthEndpoint = null)
    {
        var published = project.ApplicationBuilder.ExecutionContext.IsPublishMode;
        return project
            .WithEnvironment("Galaxy_NODE_ID", nodeId)
            .WithEnvironment("GALAXY_API_KEY", key)
            .WithEnvironment("GALAXY_BIND", published ? "*" : "127.0.0.1")
            .WithEnvironment("GALAXY_DATA", published ? "/data" : Path.Combine(data, "nodes", nodeId))
            .WithHttpHealthCheck("/alive", endpointName: healthEndpoint);
    }

    /// <summary>A store that is started with the others, or one that runs already: <c>--redis host:port</c>.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddStore(this IDistributedApplicationBuilder builder, string name)
    {
        if (builder.Configuration["redis"] is null or "" or "embedded" or "server")
            return builder.AddRedis(name).WithPersistence();
        builder.Configuration["ConnectionStrings:" + name] = builder.Configuration["redis"];
        return builder.AddConnectionString(name);
    }

    /// <summary>Gives a coordinator its store, or all stores of a quorum.</summary>
    public static IResourceBuilder<ProjectResource> Uses(this IResourceBuilder<ProjectResource> project, IEnumerable<IResourceBuilder<IResourceWithConnectionString>> stores)
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
