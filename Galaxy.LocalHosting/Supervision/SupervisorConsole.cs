using Spectre.Console;

namespace Galaxy.LocalHosting.Supervision;

/// <summary>
/// The one console of all processes: each line with the name of its process in a colour of its own. Thread-safe.
/// </summary>
internal sealed class SupervisorConsole(bool quiet, int nameWidth)
{
    private static readonly int[] Colours = [36, 33, 35, 34, 32, 96, 93, 95, 94, 92];
    private readonly bool _colour =
        !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";
    private readonly Dictionary<string, int> _colours = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    public void Line(string process, string line)
    {
        if (quiet)
            return;
        lock (_gate)
        {
            if (!_colour)
            {
                Console.Out.WriteLine($"{process.PadRight(nameWidth)} {line}");
                return;
            }
            if (!_colours.TryGetValue(process, out var colour))
                _colours[process] = colour = Colours[_colours.Count % Colours.Length];
            var severity =
                line.Contains(" fail: ", StringComparison.Ordinal)
                || line.StartsWith("error:", StringComparison.Ordinal)
                    ? "\e[31m"
                : line.Contains(" warn: ", StringComparison.Ordinal) ? "\e[33m"
                : "";
            Console.Out.WriteLine($"\e[{colour}m{process.PadRight(nameWidth)}\e[0m {severity}{line}\e[0m");
        }
    }

    public void Say(FormattableString markup)
    {
        lock (_gate)
            AnsiConsole.MarkupLineInterpolated(markup);
    }

    /// <summary>One line as it is: never wrapped, so that an address can be clicked and copied.</summary>
    public void Plain(string line)
    {
        lock (_gate)
            Console.Out.WriteLine(line);
    }

    public void Write(Spectre.Console.Rendering.IRenderable what)
    {
        lock (_gate)
            AnsiConsole.Write(what);
    }
}
