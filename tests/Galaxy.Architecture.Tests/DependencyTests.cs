using System.Reflection;
using NetArchTest.Rules;

namespace Galaxy.Architecture.Tests;

/// <summary>
/// Dependencies point one way: services → ServiceDefaults, Contracts, Core; Core → the base library only.
/// </summary>
public class DependencyTests
{
    private static readonly string[] Foundations = ["Galaxy.ServiceDefaults", "Galaxy.Contracts", "Galaxy.Core"];

    public static TheoryData<string> Services =>
        [
            "Galaxy.Coordinator",
            "Galaxy.Router",
            "Galaxy.OneApi",
            "Galaxy.Discovery",
            "Galaxy.Gateway",
            "Galaxy.Console",
        ];

    /// <summary>The embedded store only follows its parent process; it knows nothing of the protocols.</summary>
    public static TheoryData<string, string[]> Allowed =>
        new()
        {
            { "Galaxy.Core", [] },
            { "Galaxy.Contracts", [] },
            { "Galaxy.ServiceDefaults", ["Galaxy.Contracts", "Galaxy.Core"] },
            { "Galaxy.LocalHosting", [] },
            { "Galaxy.AppHost", ["Galaxy.LocalHosting"] },
            { "Galaxy.Store", ["Galaxy.ServiceDefaults"] },
            // It starts a machine's processes: docs/decisions/0026.
            { "galaxy", ["Galaxy.Contracts", "Galaxy.Core", "Galaxy.LocalHosting", "Galaxy.ServiceDefaults"] },
        };

    private static IEnumerable<string> GalaxyReferences(Assembly assembly) =>
        assembly
            .GetReferencedAssemblies()
            .Select(name => name.Name!)
            .Where(name => name.StartsWith("Galaxy", StringComparison.OrdinalIgnoreCase));

    [Theory]
    [MemberData(nameof(Allowed))]
    public void A_foundation_depends_on_nothing_above_it(string assembly, string[] allowed) =>
        Assert.Subset(allowed.ToHashSet(), GalaxyReferences(Assembly.Load(assembly)).ToHashSet());

    [Theory]
    [MemberData(nameof(Services))]
    public void A_service_depends_on_the_foundations_and_on_no_other_service(string assembly) =>
        Assert.Subset(Foundations.ToHashSet(), GalaxyReferences(Assembly.Load(assembly)).ToHashSet());

    [Fact]
    public void The_core_needs_the_base_library_and_nothing_else()
    {
        var foreign = Assembly
            .Load("Galaxy.Core")
            .GetReferencedAssemblies()
            .Select(name => name.Name!)
            .Where(name =>
                !name.StartsWith("System.", StringComparison.Ordinal)
                && name is not ("Google.Protobuf" or "netstandard")
            );

        Assert.Empty(foreign);
    }

    [Fact]
    public void The_core_does_no_input_or_output_and_starts_no_threads()
    {
        var result = Types
            .InAssembly(Assembly.Load("Galaxy.Core"))
            .ShouldNot()
            .HaveDependencyOnAny(
                "System.Net.Sockets",
                "System.Net.Http",
                "System.IO.File",
                "System.Threading.Thread",
                "System.Threading.Timer",
                "System.Threading.Tasks",
                "System.Diagnostics.Process",
                "Microsoft.AspNetCore"
            )
            .GetResult();

        Assert.True(result.IsSuccessful, string.Join(", ", result.FailingTypeNames ?? []));
    }

    [Fact]
    public void Services_keep_their_types_to_themselves_where_nothing_outside_needs_them()
    {
        // Razor components and what they show must be public; the other services have no such reason.
        foreach (var service in new[] { "Galaxy.Coordinator", "Galaxy.Router", "Galaxy.OneApi", "Galaxy.Gateway" })
        {
            var open = Assembly
                .Load(service)
                .GetExportedTypes()
                .Where(type => type.Name != "Program")
                .Select(type => type.FullName);
            Assert.Empty(open);
        }
    }
}
