using System.Reflection;

namespace Galaxy.ServiceDefaults.Nodes;

/// <summary>The version that this build calls itself.</summary>
public static class BuildVersion
{
    public static string Text { get; } =
        typeof(BuildVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "0";
}
