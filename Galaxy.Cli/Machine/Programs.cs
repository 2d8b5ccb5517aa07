namespace Galaxy.Cli.Machine;

/// <summary>Where the programs of the services are: beside this one as <c>deploy.sh</c> publishes them, or where the build of the repository leaves them.</summary>
internal sealed class Programs
{
    private readonly string _pattern;

    private Programs(string pattern) => _pattern = pattern;

    /// <exception cref="CliException">They are in neither place.</exception>
    public static Programs Find()
    {
        var here = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
        var parts = here.Split(Path.DirectorySeparatorChar);
        string[] patterns =
        [
            Path.Combine(here, "..", "{0}", "{0}"),
            // …/Galaxy.Cli/bin/Debug/net10.0
            .. parts is [.., _, "bin", _, _] ? [Path.Combine(here, "..", "..", "..", "..", "{0}", "bin", parts[^2], parts[^1], "{0}")] : Array.Empty<string>(),
        ];
        return patterns.Select(pattern => new Programs(pattern)).FirstOrDefault(programs => File.Exists(programs["Galaxy.Coordinator"]))
            ?? throw new CliException("The services' programs are not beside this one. Run ./deploy.sh, which builds them, and then ./start.sh; a single-file 'galaxy' is for 'galaxy worker' and the other commands.");
    }

    public string this[string project] =>
        Path.GetFullPath(string.Format(System.Globalization.CultureInfo.InvariantCulture, _pattern, project)) + (OperatingSystem.IsWindows() ? ".exe" : "");
}
