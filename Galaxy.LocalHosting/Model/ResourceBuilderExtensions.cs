using System.Diagnostics.CodeAnalysis;

namespace Galaxy.LocalHosting;

/// <summary>The vocabulary of <c>Program.cs</c>, with the signatures of Aspire 13's extension methods of the same names.</summary>
[SuppressMessage("Usage", "CA1801", Justification = "Parameters that only matter when publishing are a part of the signatures.")]
[SuppressMessage("Style", "IDE0060", Justification = "Parameters that only matter when publishing are a part of the signatures.")]
public static class ResourceBuilderExtensions
{
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new() => builder.AddResource(new ProjectResource(name, new TProject()));

    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name, string? launchProfileName)
        where TProject : IProjectMetadata, new() => builder.AddProject<TProject>(name);

    public static IResourceBuilder<ExecutableResource> AddExecutable(
        this IDistributedApplicationBuilder builder, string name, string command, string workingDirectory, params string[]? args)
    {
        var resource = builder.AddResource(new ExecutableResource(name, command, workingDirectory));
        resource.Resource.Arguments.AddRange(args ?? []);
        return resource;
    }

    public static IResourceBuilder<RedisResource> AddRedis(
        this IDistributedApplicationBuilder builder, string name, int? port = null, IResourceBuilder<ParameterResource>? password = null)
    {
        var asked = builder.Configuration["redis"];
        var choice = new RedisChoice(
            name, asked is null or "" or "embedded" or "server" ? null : asked, asked == "server",
            Path.ChangeExtension(AppHostMetadata.Read("galaxystorepath") ?? "Galaxy.Store.dll", OperatingSystem.IsWindows() ? ".exe" : null), DataFolder.Of(builder));
        var resource = new RedisResource(name, choice);
        resource.Endpoints.Add(new EndpointAnnotation("tcp", "tcp", port, null));
        return builder.AddResource(resource);
    }

    public static IResourceBuilder<RedisResource> WithPersistence(this IResourceBuilder<RedisResource> redis, TimeSpan? interval = null, long keysChangedThreshold = 1)
    {
        redis.Resource.Persistent = true;
        return redis;
    }

    /// <summary>A store that runs already: its address is <c>ConnectionStrings:name</c> of the configuration.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddConnectionString(this IDistributedApplicationBuilder builder, string name, string? environmentVariableName = null) =>
        builder.AddResource(new RedisResource(name, new RedisChoice(
            name, builder.Configuration["ConnectionStrings:" + name] ?? throw new InvalidOperationException($"ConnectionStrings:{name} is not set."), false, "", DataFolder.Of(builder))));

    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, bool secret = false) =>
        builder.AddParameter(name, () => builder.Configuration["Parameters:" + name]
            ?? throw new InvalidOperationException($"The parameter '{name}' has no value: set Parameters__{name}."), secret: secret);

    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, Func<string> valueGetter, bool publishValueAsDefault = false, bool secret = false) =>
        builder.AddResource(new ParameterResource(name, valueGetter, secret));

    /// <summary>The connection string goes in as <c>ConnectionStrings__name</c>.</summary>
    public static IResourceBuilder<T> WithReference<T>(
        this IResourceBuilder<T> builder, IResourceBuilder<IResourceWithConnectionString> source, string? connectionName = null, bool optional = false)
        where T : IResourceWithEnvironment
    {
        var redis = (RedisResource)source.Resource;
        return builder.With($"ConnectionStrings__{connectionName ?? redis.Name}", () => redis.ConnectionString);
    }

    /// <summary>Every endpoint goes in as <c>services__name__endpoint__0</c>.</summary>
    public static IResourceBuilder<T> WithReference<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResourceWithServiceDiscovery> source)
        where T : IResourceWithEnvironment
    {
        var owner = (ProcessResource)source.Resource;
        foreach (var endpoint in owner.Endpoints)
            builder.WithReference(new EndpointReference(owner, endpoint.Name));
        return builder;
    }

    public static IResourceBuilder<T> WithReference<T>(this IResourceBuilder<T> builder, EndpointReference endpointReference)
        where T : IResourceWithEnvironment =>
        builder.With($"services__{endpointReference.Owner.Name}__{endpointReference.EndpointName}__0", () => endpointReference.Url);

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment => builder.With(name, () => value);

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, EndpointReference endpointReference)
        where T : IResourceWithEnvironment => builder.With(name, () => endpointReference.Url);

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, IResourceBuilder<ParameterResource> parameter)
        where T : IResourceWithEnvironment => builder.With(name, () => parameter.Resource.Value);

    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, params string[] args)
        where T : IResourceWithArgs
    {
        Process(builder).Arguments.AddRange(args);
        return builder;
    }

    public static IResourceBuilder<T> WithHttpEndpoint<T>(
        this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? name = null, string? env = null, bool isProxied = true)
        where T : IResourceWithEndpoints => builder.WithEndpoint(port, targetPort, "http", name ?? "http", env, isProxied);

    public static IResourceBuilder<T> WithEndpoint<T>(
        this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? scheme = null, string? name = null, string? env = null,
        bool isProxied = true, bool? isExternal = null)
        where T : IResourceWithEndpoints
    {
        Process(builder).Endpoints.Add(new EndpointAnnotation(name ?? scheme ?? "tcp", scheme ?? "tcp", port ?? targetPort, env));
        return builder;
    }

    /// <summary>Only matters when publishing.</summary>
    public static IResourceBuilder<T> WithExternalHttpEndpoints<T>(this IResourceBuilder<T> builder)
        where T : IResourceWithEndpoints => builder;

    /// <summary>The resource is healthy when a GET of <paramref name="path"/> is answered with 200.</summary>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(this IResourceBuilder<T> builder, string? path = null, int? statusCode = null, string? endpointName = null)
        where T : IResourceWithEndpoints
    {
        Process(builder).HealthPath = path ?? "/";
        Process(builder).HealthEndpoint = endpointName;
        return builder;
    }

    /// <summary>Starts only when <paramref name="dependency"/> is healthy.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport
    {
        Process(builder).Dependencies.Add(dependency.Resource);
        return builder;
    }

    public static IResourceBuilder<T> WithUrlForEndpoint<T>(this IResourceBuilder<T> builder, string endpointName, Action<ResourceUrlAnnotation> callback)
        where T : IResource
    {
        Process(builder).Urls.Add((endpointName, callback));
        return builder;
    }

    public static IResourceBuilder<T> WithParentRelationship<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> parent)
        where T : IResource
    {
        Process(builder).Parent = parent.Resource;
        return builder;
    }

    /// <summary>Does not start with the others.</summary>
    public static IResourceBuilder<T> WithExplicitStart<T>(this IResourceBuilder<T> builder)
        where T : IResource
    {
        Process(builder).ExplicitStart = true;
        return builder;
    }

    public static EndpointReference GetEndpoint<T>(this IResourceBuilder<T> builder, string name)
        where T : IResourceWithEndpoints => new(Process(builder), name);

    private static IResourceBuilder<T> With<T>(this IResourceBuilder<T> builder, string name, Func<string?> value)
        where T : IResource
    {
        Process(builder).Environment.Add((name, value));
        return builder;
    }

    private static ProcessResource Process<T>(IResourceBuilder<T> builder)
        where T : IResource =>
        builder.Resource as ProcessResource ?? throw new InvalidOperationException($"'{builder.Resource.Name}' is not a process.");
}
