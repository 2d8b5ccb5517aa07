using System.Reflection;
using Galaxy.LocalHosting.Description;

namespace Galaxy.AppHost.Startup;

/// <summary>The programs of the build that this AppHost belongs to.</summary>
internal static class BuiltPrograms
{
    /// <param name="repository">The folder of the solution.</param>
    public static ProgramFolder Find(string repository) =>
        ProgramFolder.Beside(AppContext.BaseDirectory)
        ?? ProgramFolder.Built(
            repository,
            typeof(BuiltPrograms).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()?.Configuration
                ?? "Debug"
        );
}
