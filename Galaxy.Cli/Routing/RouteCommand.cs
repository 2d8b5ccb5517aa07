using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Galaxy.Cli.Routing;

/// <summary><c>galaxy route</c>: which target would be chosen, and why.</summary>
internal static class RouteCommand
{
    public static Command Create()
    {
        var capability = new Argument<string>("capability") { Description = "What is to be done, for instance echo" };
        var options = new[]
        {
            new Option<string>("--strategy")
            {
                Description = "least_loaded, round_robin, random, location or adaptive",
            },
            new Option<string>("--labels")
            {
                Description = "Labels that it must have, for instance gpu=true,room=attic",
            },
            new Option<string>("--exclude") { Description = "Ids that are not wanted, separated by commas" },
            new Option<string>("--key") { Description = "The same key goes to the same target" },
            new Option<string>("--location") { Description = "Where the caller is, for the strategy location" },
            new Option<string>("--model") { Description = "The model that rules match" },
        };
        var command = new Command("route", "Show who would be chosen for a capability, and why") { capability };
        foreach (var option in options)
            command.Options.Add(option);
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var query = string.Concat(
                    options
                        .Where(option => parsed.GetValue(option) is not null)
                        .Select(option =>
                            $"&{option.Name.TrimStart('-')}={Uri.EscapeDataString(parsed.GetValue(option)!)}"
                        )
                );
                var why = await CliContext
                    .Create(parsed)
                    .GetAsync<JsonElement>(
                        $"/route/{Uri.EscapeDataString(parsed.GetValue(capability)!)}?explain=true{query}",
                        cancellation
                    );
                return Print(why);
            }
        );
        return command;
    }

    private static int Print(JsonElement why)
    {
        var chosen = why.TryGetProperty("chosen", out var target) ? target.GetProperty("id").GetString() : null;
        var rule = why.TryGetProperty("rule", out var name) ? $", rule '{name.GetString()}'" : "";
        AnsiConsole.MarkupLineInterpolated(
            $"[bold]{chosen ?? "nobody"}[/]  by {why.GetProperty("strategy").GetString()}{rule}"
        );
        var table = new Table()
            .Border(TableBorder.None)
            .AddColumns("target", "score", "load", "in flight", "latency", "");
        foreach (var one in why.GetProperty("candidates").EnumerateArray())
        {
            var share = one.GetProperty("share").GetDouble();
            table.AddRow(
                Markup.Escape(one.GetProperty("id").GetString()!)
                    + (one.GetProperty("id").GetString() == chosen ? " [green]◄[/]" : ""),
                Number(one, "score"),
                Number(one, "load"),
                Number(one, "in_flight"),
                one.GetProperty("latency_ms").GetDouble() is > 0 and var latency
                    ? latency.ToString("0.#", CultureInfo.InvariantCulture) + " ms"
                    : "",
                share < 1 ? $"[yellow]comes back, {share:P0} of its share[/]" : ""
            );
        }
        foreach (var one in why.GetProperty("excluded").EnumerateArray())
            table.AddRow(
                Markup.Escape(one.GetProperty("id").GetString()!),
                "",
                "",
                "",
                "",
                $"[grey]{Markup.Escape(one.GetProperty("reason").GetString()!)}[/]"
            );
        if (table.Rows.Count > 0)
            AnsiConsole.Write(table);
        else
            AnsiConsole.MarkupLine("Nobody offers it; [bold]galaxy tools[/] tells what is offered.");
        return chosen is null ? 1 : 0;
    }

    private static string Number(JsonElement one, string name) =>
        one.GetProperty(name).GetDouble().ToString("0.###", CultureInfo.InvariantCulture);
}
