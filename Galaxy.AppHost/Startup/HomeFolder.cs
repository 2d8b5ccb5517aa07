namespace Galaxy.AppHost.Startup;

/// <summary>
/// The orchestrator keeps a list of ports and its state under <c>.dcp</c> of the user's home, and ends without a word where it cannot.
/// Without a home that can be written, the orchestrator and the services get <c>home</c> in the data folder instead.
/// </summary>
internal static class HomeFolder
{
    private const string Variable = "HOME";

    public static void Ensure(string data)
    {
        if (OperatingSystem.IsWindows() || Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } home && CanKeepState(home))
            return;
        var substitute = Path.Combine(data, "home");
        Directory.CreateDirectory(substitute);
        Environment.SetEnvironmentVariable(Variable, substitute);
    }

    private static bool CanKeepState(string home)
    {
        var folder = Path.Combine(home, ".dcp");
        try
        {
            // The home itself is the user's to make.
            if (!Directory.Exists(home))
                return false;
            Directory.CreateDirectory(folder);
            var probe = Path.Combine(folder, $".probe-{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
            return true;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
