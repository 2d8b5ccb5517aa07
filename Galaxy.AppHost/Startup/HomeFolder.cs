namespace Galaxy.AppHost.Startup;

/// <summary>
/// The orchestrator keeps a list of ports and its state under <c>.dcp</c> of the user's home, and ends without a word
/// where it cannot. Without a home that can be written, the orchestrator and the services get <c>home</c> in the data
/// folder instead.
/// </summary>
internal static class HomeFolder
{
    private const string Variable = "HOME";

    /// <summary>Every process that is started from now on has a home that can be written.</summary>
    public static void Ensure(string data)
    {
        if (OperatingSystem.IsWindows())
            return;
        var home = Choose(Environment.GetEnvironmentVariable(Variable), data);
        Directory.CreateDirectory(home);
        Environment.SetEnvironmentVariable(Variable, home);
    }

    /// <param name="home">The user's home; null: there is none.</param>
    /// <param name="data">The data folder of the system.</param>
    public static string Choose(string? home, string data) =>
        home is { Length: > 0 } && CanKeepState(home) ? home : Path.Combine(data, "home");

    private static bool CanKeepState(string home)
    {
        var folder = Path.Combine(home, ".dcp");
        try
        {
            // The user has to create the home itself.
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
