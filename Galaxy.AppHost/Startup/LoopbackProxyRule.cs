namespace Galaxy.AppHost.Startup;

/// <summary>
/// Where a proxy is set (<c>HTTP_PROXY</c>), everything on this machine still talks directly: the orchestrator, the
/// dashboard and the services inherit <c>NO_PROXY</c> with the names of this machine.
/// </summary>
internal static class LoopbackProxyRule
{
    private static readonly string[] ThisMachine = ["localhost", "127.0.0.1", "::1", "[::1]"];

    public static void Apply()
    {
        foreach (var variable in new[] { "NO_PROXY", "no_proxy" })
        {
            var present = (
                Environment.GetEnvironmentVariable(variable) ?? Environment.GetEnvironmentVariable("NO_PROXY") ?? ""
            ).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            Environment.SetEnvironmentVariable(
                variable,
                string.Join(',', present.Union(ThisMachine, StringComparer.OrdinalIgnoreCase))
            );
        }
    }
}
