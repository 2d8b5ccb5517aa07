using System.CommandLine;
using Spectre.Console;

namespace Galaxy.Cli.Tests;

/// <summary>
/// The command line, with what it prints. There is one console in a process: classes that use this share a collection.
/// </summary>
internal static class CommandLine
{
    /// <summary>The collection of tests that print.</summary>
    public const string OneConsole = "one console";

    public static async Task<(int Code, string Output)> RunAsync(Command command, params string[] arguments)
    {
        var root = new RootCommand { command };
        root.Options.Add(CliContext.UrlOption);
        root.Options.Add(CliContext.KeyOption);
        await using var output = new StringWriter();
        var (plain, rich) = (Console.Out, AnsiConsole.Console);
        Console.SetOut(output);
        AnsiConsole.Console = AnsiConsole.Create(
            new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(output) }
        );
        AnsiConsole.Console.Profile.Width = 200;
        try
        {
            var code = await root.Parse([command.Name, .. arguments, "--api-key", "a-key-of-a-test"])
                .InvokeAsync(
                    new InvocationConfiguration
                    {
                        EnableDefaultExceptionHandler = false,
                        Output = output,
                        Error = output,
                    }
                );
            return (code, output.ToString());
        }
        finally
        {
            Console.SetOut(plain);
            AnsiConsole.Console = rich;
        }
    }
}
