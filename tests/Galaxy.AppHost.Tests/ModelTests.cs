using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Galaxy.LocalHosting.Description;
using Microsoft.Extensions.DependencyInjection;

namespace Galaxy.AppHost.Tests;

/// <summary>The model that the AppHost describes: nothing is started.</summary>
public sealed class ModelTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-model-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private async Task<DistributedApplication> BuildAsync(params string[] options)
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.Galaxy_AppHost>([
            "--GALAXY_DATA",
            _data,
            "--ports",
            "any",
            .. options,
        ]);
        return await builder.BuildAsync();
    }

    private static IResource Find(DistributedApplication app, string name) =>
        app
            .Services.GetRequiredService<DistributedApplicationModel>()
            .Resources.Single(resource => resource.Name == name);

    [Fact]
    public async Task The_whole_system_is_there_and_needs_no_container()
    {
        await using var app = await BuildAsync();

        var resources = app.Services.GetRequiredService<DistributedApplicationModel>().Resources;
        Assert.Empty(resources.OfType<ContainerResource>());
        Assert.Empty(resources.OfType<ProjectResource>());
        Assert.Equal(
            [
                "console",
                "coordinator-a",
                "coordinator-b",
                "coordinator-c",
                "discovery",
                "gateway",
                "oneapi-a",
                "oneapi-b",
                "redis",
                "router-a",
                "router-b",
                "worker-1",
                "worker-2",
            ],
            resources
                .OfType<ExecutableResource>()
                .Where(resource => resource.Name != "aspire-dashboard")
                .Select(resource => resource.Name)
                .Order()
        );
    }

    public static TheoryData<string> Names =>
        ["console", "coordinator-a", "coordinator-b", "coordinator-c", "router-a", "oneapi-b", "gateway", "discovery"];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_service_has_the_endpoints_references_and_waits_that_its_kind_describes(string name)
    {
        await using var app = await BuildAsync();
        var resource = Find(app, name);
        var kind = GalaxyServices.All.Single(kind => name.StartsWith(kind.Name, StringComparison.Ordinal));

        Assert.Equal(
            kind.Endpoints.Select(endpoint => endpoint.Name),
            resource.Annotations.OfType<EndpointAnnotation>().Select(endpoint => endpoint.Name)
        );
        Assert.All(resource.Annotations.OfType<EndpointAnnotation>(), endpoint => Assert.False(endpoint.IsProxied));
        var references = resource
            .Annotations.OfType<ResourceRelationshipAnnotation>()
            .Where(relation => relation.Type == "Reference")
            .Select(relation => relation.Resource.Name)
            .ToHashSet();
        Assert.All(
            app.Services.GetRequiredService<DistributedApplicationModel>()
                .Resources.OfType<ExecutableResource>()
                .Where(other =>
                    other != resource
                    && kind.References.Any(reference => other.Name.StartsWith(reference.Kind, StringComparison.Ordinal))
                ),
            other => Assert.Contains(other.Name, references)
        );
        Assert.All(resource.Annotations.OfType<WaitAnnotation>(), wait =>
            Assert.Contains(kind.WaitsFor, awaited =>
                wait.Resource.Name.StartsWith(awaited == "store" ? "redis" : awaited, StringComparison.Ordinal)
            )
        );
        Assert.Equal(kind.WaitsFor.Count > 0, resource.Annotations.OfType<WaitAnnotation>().Any());
        Assert.Contains(resource.Annotations.OfType<HealthCheckAnnotation>(), _ => true);
    }

    [Fact]
    public async Task Coordinators_can_be_promoted_drained_killed_and_paused()
    {
        await using var app = await BuildAsync();

        var commands = Find(app, "coordinator-a")
            .Annotations.OfType<ResourceCommandAnnotation>()
            .Select(command => command.Name);
        Assert.Superset(
            new HashSet<string> { "promote", "hand-over", "drain", "undrain", "kill", "pause", "resume" },
            commands.ToHashSet()
        );
    }

    [Theory]
    [InlineData("3", 3)]
    [InlineData("5", 5)]
    public async Task A_quorum_reaches_every_service_that_uses_the_stores(string stores, int count)
    {
        await using var app = await BuildAsync("--stores", stores);

        foreach (var name in new[] { "coordinator-a", "oneapi-a", "discovery" })
        {
            var references = Find(app, name)
                .Annotations.OfType<ResourceRelationshipAnnotation>()
                .Where(relation => relation.Type == "Reference")
                .Select(relation => relation.Resource.Name);
            Assert.Equal(
                count,
                references.Distinct().Count(reference => reference.StartsWith("redis", StringComparison.Ordinal))
            );
        }
    }

    [Fact]
    public async Task Keys_of_providers_are_parameters_that_need_no_value()
    {
        await using var app = await BuildAsync();

        var parameter = (ParameterResource)Find(app, "openai-api-key");
        Assert.True(parameter.Secret);
        Assert.Equal("", await parameter.GetValueAsync(TestContext.Current.CancellationToken) ?? "");
    }

    [Fact]
    public async Task Published_the_services_are_projects()
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.Galaxy_AppHost>([
            "--GALAXY_DATA",
            _data,
            "--operation",
            "publish",
            "--publisher",
            "manifest",
            "--output-path",
            Path.Combine(_data, "manifest.json"),
        ]);
        await using var app = await builder.BuildAsync();

        var resources = app.Services.GetRequiredService<DistributedApplicationModel>().Resources;
        Assert.Equal(12, resources.OfType<ProjectResource>().Count());
        Assert.Single(resources.OfType<ContainerResource>());
    }
}
