using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Galaxy.Cli.Models;

/// <summary><c>galaxy models</c>, <c>galaxy chat</c> and <c>galaxy usage</c>.</summary>
internal static class ModelCommands
{
    public static Command CreateModels()
    {
        var command = new Command("models", "List the models that can be asked");
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var models = await CliContext.Create(parsed).GetAsync<JsonElement>("/v1/models", cancellation);
                foreach (var model in models.GetProperty("data").EnumerateArray())
                    Console.WriteLine(model.GetProperty("id").GetString());
                return 0;
            }
        );
        return command;
    }

    public static Command CreateChat()
    {
        var text = new Argument<string[]>("text") { Description = "What to say", Arity = ArgumentArity.OneOrMore };
        var model = new Option<string>("--model")
        {
            Description = "provider/model, a route, or auto",
            DefaultValueFactory = _ => "auto",
        };
        var system = new Option<string>("--system") { Description = "How it should behave" };
        var command = new Command("chat", "Ask a model") { text, model, system };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                List<object> messages = [];
                if (parsed.GetValue(system) is { } behaviour)
                    messages.Add(new { role = "system", content = behaviour });
                messages.Add(new { role = "user", content = string.Join(' ', parsed.GetValue(text)!) });
                var answer = await CliContext
                    .Create(parsed, TimeSpan.FromMinutes(5))
                    .PostAsync<JsonElement>(
                        "/v1/chat/completions",
                        new { model = parsed.GetValue(model), messages },
                        cancellation
                    );
                // The answer alone on standard output, for the next program.
                await Console.Error.WriteLineAsync($"{answer.GetProperty("model").GetString()}:");
                Console.WriteLine(
                    answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()
                );
                return 0;
            }
        );
        return command;
    }

    public static Command CreateUsage()
    {
        var from = new Option<string>("--from")
        {
            Description = "First day, for instance 2026-11-01 (default: today, UTC)",
        };
        var to = new Option<string>("--to") { Description = "Last day" };
        var key = new Option<string>("--key") { Description = "The id of a key" };
        var model = new Option<string>("--model") { Description = "A pattern with *" };
        var command = new Command("usage", "What was used of the models, by day, key and model")
        {
            from,
            to,
            key,
            model,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var query = string.Join(
                    '&',
                    new (string Name, string? Value)[]
                    {
                        ("from", parsed.GetValue(from)),
                        ("to", parsed.GetValue(to)),
                        ("key", parsed.GetValue(key)),
                        ("model", parsed.GetValue(model)),
                    }
                        .Where(pair => pair.Value is not null)
                        .Select(pair => $"{pair.Name}={Uri.EscapeDataString(pair.Value!)}")
                );
                var rows = await CliContext
                    .Create(parsed)
                    .GetAsync<JsonElement>("/api/v1/usage?" + query, cancellation);
                var table = new Table()
                    .Border(TableBorder.None)
                    .AddColumns("day", "key", "model", "requests", "errors", "tokens in", "out", "cost");
                foreach (var row in rows.EnumerateArray())
                {
                    string Number(string field) =>
                        row.GetProperty(field).GetInt64().ToString("N0", CultureInfo.InvariantCulture);
                    table.AddRow(
                        new[]
                        {
                            row.GetProperty("day").GetString()!,
                            row.GetProperty("key").GetString()!,
                            row.GetProperty("model").GetString()!,
                            Number("requests"),
                            Number("errors"),
                            Number("input_tokens"),
                            Number("output_tokens"),
                            row.GetProperty("cost_usd").GetDouble().ToString("$0.######", CultureInfo.InvariantCulture),
                        }
                            .Select(Markup.Escape)
                            .ToArray()
                    );
                }
                AnsiConsole.Write(table);
                return 0;
            }
        );
        return command;
    }
}
