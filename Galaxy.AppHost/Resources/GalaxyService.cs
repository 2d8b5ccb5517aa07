using Galaxy.LocalHosting.Description;

namespace Galaxy.AppHost.Resources;

/// <summary>
/// A service in the model: a program of this machine in run mode, a project in publish mode. Its kind says what it
/// refers to and waits for; the methods say which resources these are.
/// </summary>
internal sealed class GalaxyService(
    GalaxyBuilder galaxy,
    ServiceKind kind,
    IResourceBuilder<IResourceWithEnvironment> resource
)
{
    public ServiceKind Kind { get; } = kind;

    public IResourceBuilder<IResourceWithEnvironment> Resource { get; } = resource;

    public string Name => Resource.Resource.Name;

    public EndpointReference Endpoint(string name) => ((IResourceWithEndpoints)Resource.Resource).GetEndpoint(name);

    /// <summary>Tells the service where the coordinators' gRPC endpoints are, except its own.</summary>
    public GalaxyService WithCoordinators(IEnumerable<GalaxyService> coordinators) => WithReferences(coordinators);

    /// <summary>Tells the service where the others are: the endpoints that its kind refers to.</summary>
    public GalaxyService WithReferences(IEnumerable<GalaxyService> others)
    {
        foreach (var other in others.Where(other => other != this))
        {
            foreach (var reference in Kind.References.Where(reference => reference.Kind == other.Kind.Name))
            {
                foreach (
                    var endpoint in other.Kind.Endpoints.Where(endpoint =>
                        reference.Endpoint is null || endpoint.Name == reference.Endpoint
                    )
                )
                    Resource.WithReference(other.Endpoint(endpoint.Name));
            }
            WaitFor(other.Kind, other.Resource);
        }
        return this;
    }

    /// <summary>Gives the service its store, or all stores of a quorum.</summary>
    public GalaxyService WithStores(IEnumerable<IResourceBuilder<IResourceWithConnectionString>> stores)
    {
        foreach (var store in stores)
        {
            Resource.WithReference(store);
            WaitFor(GalaxyServices.Store, store);
        }
        return this;
    }

    /// <summary>
    /// A parameter for each provider's key: its value is the environment's, or is filled in at the dashboard.
    /// </summary>
    public GalaxyService WithProviderKeys()
    {
        foreach (var (variable, parameter) in galaxy.ProviderKeys)
            Resource.WithEnvironment(variable, parameter);
        return this;
    }

    /// <summary>Tells a worker where devices connect.</summary>
    public GalaxyService WithGateway(GalaxyService gateway)
    {
        Resource.WithEnvironment(ServiceEnvironment.MasterUrl, gateway.Endpoint("ws"));
        WaitFor(gateway.Kind, gateway.Resource);
        return this;
    }

    private void WaitFor(ServiceKind kind, IResourceBuilder<IResource> dependency)
    {
        // This model does not start a store that runs already: it has only its address.
        if (Kind.WaitsFor.Contains(kind.Name) && dependency.Resource is not ConnectionStringResource)
            ((IResourceBuilder<IResourceWithWaitSupport>)Resource).WaitFor(dependency);
    }
}
