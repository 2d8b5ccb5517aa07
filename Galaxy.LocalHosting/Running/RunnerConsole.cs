using Spectre.Console;

namespace Galaxy.LocalHosting.Running;

/// <summary>A problem of the run that one sentence explains.</summary>
public sealed class RunnerException(string message) : Exception(message);

/// <summary>The one console of all resources: each line with its resource's name in its colour. Thread-safe.</summary>
internal sealed class RunnerConsole(bool quiet, int nameWidth)
{
    private static readonly int[] Colours = [36, 33, 35, 34, 32, 96, 93, 95, 94, 92];
    private readonly bool _colour = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";
    private readonly Dictionary<string, int> _colours = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    public void Line(string resource, string line)
    {
        if (quiet)
            return;
        lock (_gate)
        {
            if (!_colour)
            {
                Console.Out.WriteLine($"{resource.PadRight(nameWidth)} {line}");
                return;
            }
            if (!_colours.TryGetValue(resource, out var colour))
                _colours[resource] = colour = Colours[_colours.Count % Colours.Length];
            var severity = line.Contains(" fail: ", StringComparison.Ordinal) || line.StartsWith("error:", StringComparison.Ordinal) ? "\e[31m"
                : line.Contains(" warn: ", StringComparison.Ordinal) ? "\e[33m" : "";
            Console.Out.WriteLine($"\e[{colour}m{resource.PadRight(nameWidth)}\e[0m {severity}{line}\e[0m");
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
