using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Supervision;

namespace Galaxy.LocalHosting.Tests.Supervision;

/// <summary>Processes that are not Galaxy's, for tests of who looks after them.</summary>
internal static class Shells
{
    /// <summary>It is healthy once it runs.</summary>
    public static ProcessDescription Run(string name, string script) =>
        new()
        {
            Name = name,
            Kind = new ServiceKind(name, name) { HealthPath = null },
            Program = "/bin/sh",
            WorkingDirectory = "/",
            Arguments = ["-c", script],
        };
}
