using System.CommandLine;
using System.Text.Json;
using Spectre.Console;

namespace Galaxy.Cli.State;

/// <summary><c>galaxy backup</c> and <c>galaxy restore</c>: a whole cluster in one file.</summary>
internal static class BackupCommands
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static Command CreateBackup()
    {
        var file = new Argument<FileInfo>("file")
        {
            Description = "Where to, for instance galaxy.gxb; must not exist yet",
        };
        var command = new Command(
            "backup",
            "Write state, configuration, tasks and keys to one file, sealed under the cluster's key"
        )
        {
            file,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed, Patience);
                var path = parsed.GetValue(file)!;
                if (path.Exists)
                    throw new CliException($"'{path.FullName}' exists already. Name another file.");
                if (path.Directory is not { Exists: true } folder)
                    throw new CliException($"There is no folder '{path.DirectoryName}'.");
                var bytes = await context.GetBytesAsync("/api/v1/backup", cancellation);
                // The file gets its name only when it is complete.
                var part = Path.Combine(folder.FullName, $".{path.Name}.part");
                var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
                if (!OperatingSystem.IsWindows())
                    options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                try
                {
                    await using (var stream = new FileStream(part, options))
                    {
                        await stream.WriteAsync(bytes, cancellation);
                        stream.Flush(flushToDisk: true);
                    }
                    File.Move(part, path.FullName);
                }
                catch (IOException disk)
                {
                    File.Delete(part);
                    throw new CliException($"The backup could not be written: {disk.Message}");
                }
                AnsiConsole.MarkupInterpolated(
                    $"[bold]{path.Name}[/]: {bytes.Length:N0} bytes. Keep it with the cluster's "
                );
                AnsiConsole.MarkupLineInterpolated($"GALAXY_API_KEY, without which nobody can open it.");
                return 0;
            }
        );
        return command;
    }

    public static Command CreateRestore()
    {
        var file = new Argument<FileInfo>("file") { Description = "As 'galaxy backup' wrote it" };
        var old = new Option<string>("--old-key")
        {
            Description = "The GALAXY_API_KEY that it was made under, if this cluster has another",
        };
        var command = new Command("restore", "Make an empty cluster of a backup; a damaged one is refused whole")
        {
            file,
            old,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed, Patience);
                var path = parsed.GetValue(file)!;
                if (!path.Exists)
                    throw new CliException($"There is no file '{path.FullName}'.");
                var bytes = await File.ReadAllBytesAsync(path.FullName, cancellation);
                var answer = await context.PostBytesAsync<JsonElement>(
                    "/api/v1/backup/restore",
                    bytes,
                    parsed.GetValue(old) is { } key ? ("X-Galaxy-Old-Key", key) : null,
                    cancellation
                );
                AnsiConsole.MarkupInterpolated(
                    $"Restored the backup of [bold]{answer.GetProperty("cluster").GetString()}[/] of "
                );
                AnsiConsole.MarkupInterpolated(
                    $"{answer.GetProperty("created_at").GetDateTimeOffset():yyyy-MM-dd HH:mm:ss} UTC: "
                );
                AnsiConsole.MarkupInterpolated($"{answer.GetProperty("entries").GetInt32()} entries of state, ");
                AnsiConsole.MarkupInterpolated($"{answer.GetProperty("tasks").GetInt64()} tasks, ");
                AnsiConsole.MarkupLineInterpolated($"{answer.GetProperty("keys").GetInt32()} keys of the store.");
                return 0;
            }
        );
        return command;
    }
}
