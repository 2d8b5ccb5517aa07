namespace Galaxy.LocalHosting;

/// <summary>Something that the runner starts or that others refer to.</summary>
public interface IResource
{
    /// <summary>Unique, lower case: also the host name in service discovery.</summary>
    string Name { get; }
}

/// <summary>A resource whose process takes environment variables.</summary>
public interface IResourceWithEnvironment : IResource;

/// <summary>A resource whose process takes arguments.</summary>
public interface IResourceWithArgs : IResource;

/// <summary>A resource that listens.</summary>
public interface IResourceWithEndpoints : IResource;

/// <summary>A resource that others find by name.</summary>
public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;

/// <summary>A resource that others reach by a connection string.</summary>
public interface IResourceWithConnectionString : IResource;

/// <summary>A resource that can wait for others.</summary>
public interface IResourceWithWaitSupport : IResource;

/// <summary>The project that a resource runs; implementations are generated from the AppHost's project references.</summary>
public interface IProjectMetadata
{
    /// <summary>The project file.</summary>
    string ProjectPath { get; }

    /// <summary>The built program.</summary>
    string TargetPath { get; }
}

/// <summary>What all resources share.</summary>
public abstract class Resource(string name) : IResource
{
    public string Name { get; } = name;
}

/// <summary>A value that is asked for once, for instance a key.</summary>
public sealed class ParameterResource(string name, Func<string> valueGetter, bool secret) : Resource(name)
{
    private readonly Lazy<string> _value = new(valueGetter);

    public bool Secret { get; } = secret;

    public string Value => _value.Value;
}

/// <summary>A resource that is a process on this machine.</summary>
public abstract class ProcessResource(string name) : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport
{
    internal List<EndpointAnnotation> Endpoints { get; } = [];
    internal List<(string Name, Func<string?> Value)> Environment { get; } = [];
    internal List<string> Arguments { get; } = [];
    internal List<IResource> Dependencies { get; } = [];
    internal string? HealthPath { get; set; }
    internal string? HealthEndpoint { get; set; }
    internal bool ExplicitStart { get; set; }
    internal IResource? Parent { get; set; }

    /// <summary>A folder with the programs of another version, as <c>deploy/machine.proj</c> publishes them; null: the ones that were built with this one.</summary>
    internal string? Programs { get; set; }
    internal List<(string Endpoint, Action<ResourceUrlAnnotation> Change)> Urls { get; } = [];

    /// <summary>The program and what comes before <see cref="Arguments"/>.</summary>
    internal abstract (string FileName, IReadOnlyList<string> Prefix, string WorkingDirectory) Command { get; }
}

/// <summary>A .NET project of the solution.</summary>
public sealed class ProjectResource(string name, IProjectMetadata project) : ProcessResource(name), IResourceWithServiceDiscovery
{
    internal override (string, IReadOnlyList<string>, string) Command
    {
        get
        {
            var program = Path.ChangeExtension(project.TargetPath, OperatingSystem.IsWindows() ? ".exe" : null);
            return (program, [], Path.GetDirectoryName(project.ProjectPath)!);
        }
    }
}

/// <summary>Any program.</summary>
public sealed class ExecutableResource(string name, string command, string workingDirectory) : ProcessResource(name)
{
    internal override (string, IReadOnlyList<string>, string) Command => (command, [], workingDirectory);
}

/// <summary>A Redis-compatible store: embedded, a redis-server on PATH, or one that runs already.</summary>
public sealed class RedisResource : ProcessResource, IResourceWithConnectionString
{
    internal RedisResource(string name, RedisChoice choice)
        : base(name) => Choice = choice;

    internal RedisChoice Choice { get; }

    internal bool Persistent { get; set; }

    internal string ConnectionString => Choice.Address ?? $"127.0.0.1:{Endpoints[0].AllocatedPort}";

    internal override (string, IReadOnlyList<string>, string) Command => Choice.Command(Endpoints[0].AllocatedPort, Persistent);
}

/// <summary>An address as the table at start shows it.</summary>
public sealed class ResourceUrlAnnotation
{
    public required string Url { get; set; }

    public string? DisplayText { get; set; }
}

/// <summary>A port that a resource listens on.</summary>
internal sealed class EndpointAnnotation(string name, string scheme, int? port, string? variable)
{
    public string Name { get; } = name;
    public string Scheme { get; } = scheme;

    /// <summary>Null: any free one.</summary>
    public int? Port { get; } = port;

    /// <summary>The environment variable that tells the process; null: the first http endpoint goes into ASPNETCORE_URLS.</summary>
    public string? Variable { get; } = variable;

    public int AllocatedPort { get; set; }

    public string Url => $"{Scheme}://127.0.0.1:{AllocatedPort}";
}

/// <summary>Refers to an endpoint whose port may not be known yet.</summary>
public sealed class EndpointReference
{
    internal EndpointReference(ProcessResource owner, string name) => (Owner, EndpointName) = (owner, name);

    internal ProcessResource Owner { get; }

    public string EndpointName { get; }

    /// <summary>The address; known once the application runs.</summary>
    public string Url => Endpoint.Url;

    public int Port => Endpoint.AllocatedPort;

    private EndpointAnnotation Endpoint => Owner.Endpoints.Find(endpoint => endpoint.Name == EndpointName)
        ?? throw new InvalidOperationException($"'{Owner.Name}' has no endpoint called '{EndpointName}'.");
}
