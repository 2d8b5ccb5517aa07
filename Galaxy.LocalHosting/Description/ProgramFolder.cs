using System.Globalization;

namespace Galaxy.LocalHosting.Description;

/// <summary>
/// Where the programs of the services are: a folder as <c>deploy/machine.proj</c> publishes them, or the outputs of a
/// build.
/// </summary>
public sealed class ProgramFolder
{
    private readonly string _pattern;
    private readonly string? _workingPattern;

    private ProgramFolder(string pattern, string? workingPattern = null) =>
        (_pattern, _workingPattern) = (pattern, workingPattern);

    /// <summary>Published programs, each in a folder with the name of its project.</summary>
    public static ProgramFolder Published(string folder) => new(Path.Combine(Path.GetFullPath(folder), "{0}"));

    /// <summary>What a build of the repository left behind.</summary>
    /// <param name="configuration"><c>Debug</c> or <c>Release</c>.</param>
    public static ProgramFolder Built(string repository, string configuration, string framework = "net10.0") =>
        new(Path.Combine(repository, "{0}", "bin", configuration, framework), Path.Combine(repository, "{0}"));

    /// <summary>
    /// The programs that belong to the program of <paramref name="baseDirectory"/>: published beside it, or built in
    /// the same way. Null: neither.
    /// </summary>
    public static ProgramFolder? Beside(string baseDirectory)
    {
        var here = baseDirectory.TrimEnd(Path.DirectorySeparatorChar);
        var candidates = new List<ProgramFolder> { Published(Path.Combine(here, "..")) };
        if (
            here.Split(Path.DirectorySeparatorChar) is [.., "bin", var configuration, var framework]
            && Repository.FindAbove(here) is { } repository
        )
            candidates.Add(Built(repository, configuration, framework));
        return candidates.Find(folder => File.Exists(folder.Program(GalaxyServices.Coordinator)));
    }

    /// <summary>The program of a service.</summary>
    public string Program(ServiceKind kind) =>
        Path.Combine(Format(_pattern, kind), kind.Program) + (OperatingSystem.IsWindows() ? ".exe" : "");

    /// <summary>
    /// Where the program is started: the project in a build, so that the console finds its files, or the program's own
    /// folder.
    /// </summary>
    public string WorkingDirectory(ServiceKind kind) => Format(_workingPattern ?? _pattern, kind);

    private static string Format(string pattern, ServiceKind kind) =>
        Path.GetFullPath(string.Format(CultureInfo.InvariantCulture, pattern, kind.Project));
}
