namespace Galaxy.AppHost.Resources;

/// <summary>
/// A service of Galaxy that runs as the built program itself, without a <c>dotnet run</c> around it. Other resources
/// find it by name.
/// </summary>
internal sealed class GalaxyServiceResource(string name, string program, string workingDirectory)
    : ExecutableResource(name, program, workingDirectory),
        IResourceWithServiceDiscovery;

/// <summary>A store that runs as a program of this machine: the embedded one, or a <c>redis-server</c>.</summary>
internal sealed class GalaxyStoreResource(string name, string program, string workingDirectory)
    : ExecutableResource(name, program, workingDirectory),
        IResourceWithConnectionString
{
    public EndpointReference Endpoint => new(this, "tcp");

    public ReferenceExpression ConnectionStringExpression =>
        ReferenceExpression.Create(
            $"{Endpoint.Property(EndpointProperty.IPV4Host)}:{Endpoint.Property(EndpointProperty.Port)}"
        );
}
