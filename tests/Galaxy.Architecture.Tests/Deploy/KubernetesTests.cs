using k8s;
using k8s.Models;
using YamlDotNet.RepresentationModel;

namespace Galaxy.Architecture.Tests.Deploy;

/// <summary>
/// <c>deploy/kubernetes</c>, read strictly with the models of Kubernetes' own client: a field that does not exist is an
/// error.
/// </summary>
public class KubernetesTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "deploy", "kubernetes");

    private static readonly List<object> Objects =
    [
        .. Directory
            .GetFiles(Folder, "*.yaml")
            .Where(file => Path.GetFileName(file) != "kustomization.yaml")
            .Order()
            .SelectMany(file => KubernetesYaml.LoadAllFromString(File.ReadAllText(file), strict: true)),
    ];

    private static IEnumerable<(string Name, V1PodTemplateSpec Template, V1LabelSelector Selector)> Pods =>
        Objects
            .OfType<V1Deployment>()
            .Select(one => (one.Metadata.Name, one.Spec.Template, one.Spec.Selector))
            .Concat(
                Objects.OfType<V1StatefulSet>().Select(one => (one.Metadata.Name, one.Spec.Template, one.Spec.Selector))
            );

    [Fact]
    public void Kustomization_names_every_file_and_every_image()
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Repository.Read("deploy", "kubernetes", "kustomization.yaml")));
        var root = (YamlMappingNode)stream.Documents[0].RootNode;
        var resources = ((YamlSequenceNode)root["resources"]).Select(one => one.ToString());
        Assert.Equal(
            Directory
                .GetFiles(Folder, "*.yaml")
                .Select(Path.GetFileName)
                .Where(name => name != "kustomization.yaml")
                .Order(),
            resources.Order()
        );
        var images = ((YamlSequenceNode)root["images"]).Select(one => one["name"].ToString());
        Assert.Equal(
            Pods.SelectMany(pod => pod.Template.Spec.Containers)
                .Select(container => container.Image)
                .Where(image => image.StartsWith("galaxy-", StringComparison.Ordinal))
                .Order(),
            images.Order()
        );
        Assert.Subset(
            new HashSet<string> { "apiVersion", "kind", "namespace", "labels", "resources", "images" },
            root.Children.Keys.Select(key => key.ToString()).ToHashSet()
        );
    }

    [Fact]
    public void Every_pod_is_found_by_its_selector_and_its_service_and_runs_with_as_little_as_it_needs()
    {
        Assert.Equal(7, Pods.Count());
        foreach (var (name, template, selector) in Pods)
        {
            Assert.All(selector.MatchLabels, label => Assert.Equal(label.Value, template.Metadata.Labels[label.Key]));
            var service = Assert.Single(Objects.OfType<V1Service>(), service => service.Metadata.Name == name);
            Assert.All(service.Spec.Selector, label => Assert.Equal(label.Value, template.Metadata.Labels[label.Key]));
            Assert.True(template.Spec.SecurityContext.RunAsNonRoot);
            Assert.Equal("RuntimeDefault", template.Spec.SecurityContext.SeccompProfile.Type);
            Assert.False(template.Spec.AutomountServiceAccountToken);
            foreach (var container in template.Spec.Containers)
            {
                Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
                Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
                Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
                Assert.NotNull(container.LivenessProbe);
                Assert.NotNull(container.ReadinessProbe);
                Assert.Contains("memory", container.Resources.Limits.Keys);
                var ports = container.Ports.Select(port => port.Name).ToList();
                Assert.All(service.Spec.Ports, port =>
                    Assert.Contains(container.Ports, open => open.ContainerPort == port.Port)
                );
                Assert.All([container.LivenessProbe, container.ReadinessProbe], probe =>
                {
                    if ((probe.HttpGet?.Port ?? probe.TcpSocket?.Port)?.Value is { } port)
                        Assert.Contains(port, ports);
                });
                var volumes = (template.Spec.Volumes ?? [])
                    .Select(volume => volume.Name)
                    .Concat(
                        Objects
                            .OfType<V1StatefulSet>()
                            .Where(one => one.Metadata.Name == name)
                            .SelectMany(one => one.Spec.VolumeClaimTemplates)
                            .Select(claim => claim.Metadata.Name)
                    )
                    .ToList();
                Assert.All(container.VolumeMounts, mount => Assert.Contains(mount.Name, volumes));
            }
        }
    }

    [Fact]
    public void Coordinators_are_three_on_three_machines_and_only_one_may_be_away_on_purpose()
    {
        var set = Assert.Single(Objects.OfType<V1StatefulSet>(), set => set.Metadata.Name == "coordinator");
        Assert.Equal(3, set.Spec.Replicas);
        var rule = Assert.Single(
            set.Spec.Template.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
        );
        Assert.Equal("kubernetes.io/hostname", rule.TopologyKey);
        Assert.Equal(
            "1",
            Assert
                .Single(Objects.OfType<V1PodDisruptionBudget>(), budget => budget.Metadata.Name == "coordinator")
                .Spec.MaxUnavailable.Value
        );
        // The names that everybody is told are those that the set gives.
        var settings = Assert.Single(Objects.OfType<V1ConfigMap>()).Data;
        Assert.Equal(
            string.Join(',', Enumerable.Range(0, 3).Select(i => $"coordinator-{i}.{set.Spec.ServiceName}:9071")),
            settings["GALAXY_COORDINATORS"]
        );
    }

    [Fact]
    public void Models_and_gateways_grow_with_their_load_and_the_front_door_alone_is_reached_from_outside()
    {
        var scaled = Objects.OfType<V2HorizontalPodAutoscaler>().ToList();
        Assert.Equal(["gateway", "oneapi"], scaled.Select(one => one.Spec.ScaleTargetRef.Name).Order());
        // Who is scaled has no number of its own, which every apply would set back.
        Assert.All(scaled, one =>
            Assert.Null(
                Objects
                    .OfType<V1Deployment>()
                    .Single(deployment => deployment.Metadata.Name == one.Metadata.Name)
                    .Spec.Replicas
            )
        );
        Assert.Equal(
            ["gateway"],
            Objects
                .OfType<V1Service>()
                .Where(service => service.Spec.Type == "LoadBalancer")
                .Select(service => service.Metadata.Name)
        );
        var policies = Objects.OfType<V1NetworkPolicy>().ToList();
        Assert.Contains(policies, policy =>
            policy.Spec.PodSelector.MatchLabels is null
            && policy.Spec.Ingress.All(rule => rule.FromProperty.All(peer => peer.PodSelector is not null))
        );
        Assert.Contains(policies, policy =>
            policy.Spec.PodSelector.MatchLabels?["app.kubernetes.io/name"] == "gateway"
            && policy.Spec.Ingress.Any(rule => rule.FromProperty is null)
        );
    }

    [Fact]
    public void A_field_that_does_not_exist_is_refused() =>
        Assert.ThrowsAny<Exception>(() =>
            KubernetesYaml.LoadAllFromString(
                "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {porst: []}\n",
                strict: true
            )
        );
}
