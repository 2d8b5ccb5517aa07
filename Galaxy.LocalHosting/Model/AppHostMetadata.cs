using System.Reflection;
using Galaxy.LocalHosting.Testing;

namespace Galaxy.LocalHosting;

/// <summary>What the build wrote into the AppHost's assembly.</summary>
internal static class AppHostMetadata
{
    public static string? Read(string key) =>
        (GalaxyTestHost.Current?.Assembly ?? Assembly.GetEntryAssembly())?.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(attribute => attribute.Key == key)?.Value;
}
