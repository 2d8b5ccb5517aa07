using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Galaxy.Architecture.Tests.Deploy;

/// <summary>
/// <c>deploy/compose.yaml</c>, read strictly: every word of it is one of the specification's, and what is named is
/// there.
/// </summary>
public partial class ComposeTests
{
    private static readonly string[] Conditions =
    [
        "service_started",
        "service_healthy",
        "service_completed_successfully",
    ];

    private static ComposeFile Read()
    {
        // Extensions (x-…) hold what is repeated; they are no part of the model.
        var text = Repository.Read("deploy", "compose.yaml");
        var builder = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).Build();
        var merged = builder.Deserialize<Dictionary<string, object>>(
            new MergingParser(new Parser(new StringReader(text)))
        );
        foreach (var extension in merged.Keys.Where(key => key.StartsWith("x-", StringComparison.Ordinal)).ToList())
            merged.Remove(extension);
        var plain = new SerializerBuilder().DisableAliases().Build().Serialize(merged);
        return builder.Deserialize<ComposeFile>(plain);
    }

    [Fact]
    public void Everything_that_is_named_is_there()
    {
        var file = Read();
        Assert.Equal(11, file.Services.Count);
        foreach (var (name, service) in file.Services)
        {
            Assert.All(service.Secrets, secret => Assert.Contains(secret, file.Secrets.Keys));
            Assert.All(service.Networks, network => Assert.Contains(network, file.Networks.Keys));
            Assert.All(service.Volumes, volume => Assert.Contains(volume.Split(':')[0], file.Volumes.Keys));
            Assert.All(service.DependsOn, dependency =>
            {
                Assert.Contains(dependency.Value.Condition, Conditions);
                var on = file.Services[dependency.Key];
                Assert.True(
                    dependency.Value.Condition != "service_healthy" || on.Healthcheck is not null,
                    $"{name} waits for the health of {dependency.Key}, which tells none"
                );
            });
            Assert.All(service.Ports, port => Assert.Matches(PortPattern(), port));
        }
    }

    [Fact]
    public void Services_are_not_root_and_cannot_write_but_where_they_should()
    {
        foreach (
            var (name, service) in Read()
                .Services.Where(one => one.Value.Image.Contains("GALAXY_IMAGES", StringComparison.Ordinal))
        )
        {
            Assert.True(
                service.ReadOnly && service.CapDrop is ["ALL"] && service.SecurityOpt is ["no-new-privileges:true"],
                name
            );
            Assert.Contains("/run/secrets/api-key", service.Environment["GALAXY_API_KEY_FILE"]);
            Assert.Equal("unless-stopped", service.Restart);
            Assert.True(name == "worker" || service.Healthcheck is { Test: ["CMD", "dotnet", _, "--probe"] }, name);
        }
    }

    [Fact]
    public void Three_coordinators_know_each_other_and_the_store_loses_nothing()
    {
        var file = Read();
        var coordinators = file
            .Services.Where(one => one.Key.StartsWith("coordinator-", StringComparison.Ordinal))
            .ToList();
        Assert.Equal(3, coordinators.Count);
        Assert.Equal(3, coordinators.SelectMany(one => one.Value.Volumes).Distinct().Count());
        foreach (var (name, service) in coordinators)
        {
            Assert.Equal(
                (name, name),
                (service.Environment["Galaxy_NODE_ID"], service.Environment["GALAXY_ADVERTISE"])
            );
            Assert.Equal(
                string.Join(',', coordinators.Select(one => one.Key + ":9071")),
                service.Environment["Galaxy_SEEDS"]
            );
        }
        var redis = string.Join(' ', file.Services["redis"].Command);
        Assert.Contains("--appendonly yes", redis);
        Assert.Contains("noeviction", redis);
        Assert.Contains("redis:/data", file.Services["redis"].Volumes);
    }

    [Fact]
    public void A_word_that_the_specification_does_not_have_is_refused()
    {
        var strict = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).Build();
        Assert.ThrowsAny<YamlException>(() =>
            strict.Deserialize<ComposeFile>("services: {a: {image: b, privilegde: true}}")
        );
    }

    [GeneratedRegex(@"^\d+:\d+$")]
    private static partial Regex PortPattern();
}
