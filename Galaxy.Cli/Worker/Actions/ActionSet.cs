namespace Galaxy.Cli.Worker.Actions;

/// <summary>The actions that one worker offers, by name.</summary>
internal static class ActionSet
{
    /// <param name="wanted">Names of actions, and plug-ins as <c>exec:name=program</c>; without any name all that are
    /// allowed here are offered.</param>
    /// <exception cref="CliException">A name is not known, or is not allowed here.</exception>
    public static IReadOnlyDictionary<string, WorkerAction> Select(
        IReadOnlyCollection<string> wanted,
        IEnumerable<WorkerAction> allowed
    )
    {
        var plugins = wanted
            .Where(name => name.StartsWith("exec:", StringComparison.Ordinal))
            .Select(name => PluginAction.Parse(name["exec:".Length..]))
            .ToList();
        var names = wanted.Where(name => !name.StartsWith("exec:", StringComparison.Ordinal)).ToList();
        var known = allowed.ToDictionary(action => action.Name, StringComparer.Ordinal);
        foreach (var name in names.Where(name => !known.ContainsKey(name)))
        {
            throw new CliException(
                name switch
                {
                    "shell.run" => "--capability 'shell.run' needs --allow-shell.",
                    "file.read" or "file.write" => $"--capability '{name}' needs --files <folder>.",
                    "llm.chat" =>
                        "--capability 'llm.chat' needs --models <address>, for instance http://localhost:11434/v1.",
                    _ => $"--capability '{name}' is not known. Known: {string.Join(", ", known.Keys)}, or "
                        + "exec:name=program.",
                }
            );
        }
        var offered = names.Count > 0 ? names.Distinct().Select(name => known[name]) : known.Values;
        return offered
            .Concat(plugins)
            .GroupBy(action => action.Name)
            .ToDictionary(same => same.Key, same => same.Last(), StringComparer.Ordinal);
    }
}
