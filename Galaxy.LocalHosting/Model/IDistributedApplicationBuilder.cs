using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Galaxy.LocalHosting;

/// <summary>Whether the model is run or only written out.</summary>
public sealed class DistributedApplicationExecutionContext
{
    /// <summary>Always true: the local runner does not publish.</summary>
    public bool IsRunMode { get; } = true;

    public bool IsPublishMode { get; }
}

/// <summary>Describes a distributed application.</summary>
public interface IDistributedApplicationBuilder
{
    ConfigurationManager Configuration { get; }

    /// <summary>Its content root is the AppHost project's folder.</summary>
    IHostEnvironment Environment { get; }

    DistributedApplicationExecutionContext ExecutionContext { get; }

    IReadOnlyList<IResource> Resources { get; }

    IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource;

    DistributedApplication Build();
}
