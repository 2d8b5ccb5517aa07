using System.Diagnostics;

[assembly: AssemblyFixture(typeof(Galaxy.Hosts.Tests.Scenarios.FreshMachine))]

namespace Galaxy.Hosts.Tests.Scenarios;

/// <summary>
/// The repository as somebody who has just cloned it has it, with <c>./deploy.sh</c> run in it: once for all tests that
/// need it.
/// </summary>
public sealed class FreshMachine : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("galaxy-clone-");
    private readonly Lazy<Task<string>> _deployed;

    public FreshMachine() => _deployed = new Lazy<Task<string>>(DeployAsync);

    /// <summary>What <c>./deploy.sh</c> wrote.</summary>
    public string Said { get; private set; } = "";

    /// <summary>The folder of the clone, built.</summary>
    public Task<string> FolderAsync() => _deployed.Value;

    private async Task<string> DeployAsync()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Galaxy.sln")))
            root = Path.GetDirectoryName(root)
                ?? throw new InvalidOperationException("not started within the repository");
        // What is tracked or would be: a clone, with what is not committed yet.
        var clone = Path.Combine(_folder.FullName, "ufo-galaxy-realization-v2");
        Directory.CreateDirectory(clone);
        await ShellAsync(
            root,
            $"git ls-files -co --exclude-standard -z | xargs -0 -I{{}} sh -c 'test -e \"{{}}\" && cp "
                + $"--parents -P \"{{}}\" \"{clone}\"' ; true"
        );
        // The report's quick deployment, but for the editor: deploy.sh puts the key in.
        Said = await ShellAsync(
            clone,
            """
            export Galaxy_NODE_ID="master"
            export Galaxy_NODE_ROLE="coordinator"
            cp .env.example .env
            ./deploy.sh
            """
        );
        return clone;
    }

    /// <summary>Runs a line of shell in a folder, as a person does.</summary>
    internal static async Task<string> ShellAsync(string folder, string line)
    {
        var info = new ProcessStartInfo("bash", ["-c", line])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        // What this test run tells its own children is not for theirs.
        foreach (
            var name in info
                .Environment.Keys.Where(name =>
                    name.StartsWith("GALAXY_", StringComparison.OrdinalIgnoreCase)
                    || name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)
                )
                .ToList()
        )
            info.Environment.Remove(name);
        using var process = Process.Start(info)!;
        using var patience = new CancellationTokenSource(Patience);
        var (output, error) = (
            process.StandardOutput.ReadToEndAsync(patience.Token),
            process.StandardError.ReadToEndAsync(patience.Token)
        );
        await process.WaitForExitAsync(patience.Token);
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException(
                $"{line} ended with code {process.ExitCode}:\n{await output}\n{await error}"
            );
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
