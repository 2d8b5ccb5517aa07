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

    IHostEnvironment Environment { get; }

    DistributedApplicationExecutionContext ExecutionContext { get; }

    /// <summary>The AppHost project's folder.</summary>
    string AppHostDirectory { get; }

    IReadOnlyList<IResource> Resources { get; }

    IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource;

    DistributedApplication Build();
}
