using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Galaxy.Cli.Models;

/// <summary><c>galaxy key</c>: creates, lists, changes and revokes keys for the models.</summary>
internal static class KeyCommands
{
    public static Command Create() =>
        new("key", "Give out keys that open the models, within limits, and nothing else")
        {
            CreateGive(),
            CreateList(),
            CreateChange(),
            CreateWithdraw(),
        };

    private static readonly Option<string[]> Models = new("--models")
    {
        Description = "Models or patterns with *, for instance openai/* (default: all)",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<long?> Rpm = new("--rpm") { Description = "Requests in a minute" };
    private static readonly Option<long?> Tpm = new("--tpm") { Description = "Tokens in a minute" };
    private static readonly Option<double?> PerDay = new("--budget-per-day") { Description = "Dollars in a day (UTC)" };
    private static readonly Option<double?> PerMonth = new("--budget-per-month")
    {
        Description = "Dollars in a month (UTC)",
    };
    private static readonly Option<string> Expires = new("--expires")
    {
        Description = "Until when, for instance 2027-01-31",
    };
    private static readonly Option<string> Owner = new("--owner") { Description = "Whose it is" };
    private static readonly Option<string> Team = new("--team") { Description = "Whose team's" };

    private static Command CreateGive()
    {
        var name = new Argument<string>("name") { Description = "How the key is known" };
        var command = new Command("create", "Give out a key; its secret is shown once")
        {
            name,
            Models,
            Rpm,
            Tpm,
            PerDay,
            PerMonth,
            Expires,
            Owner,
            Team,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var made = await CliContext
                    .Create(parsed)
                    .PostAsync<JsonElement>("/api/v1/keys", Request(parsed, parsed.GetValue(name)), cancellation);
                await Console.Error.WriteLineAsync(
                    $"key {made.GetProperty("id").GetString()} for {made.GetProperty("name").GetString()}; "
                        + "this is the only time that its secret is shown:"
                );
                Console.WriteLine(made.GetProperty("secret").GetString());
                return 0;
            }
        );
        return command;
    }

    private static Command CreateList()
    {
        var command = new Command("list", "List the keys that are out");
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var keys = await CliContext.Create(parsed).GetAsync<JsonElement>("/api/v1/keys", cancellation);
                var table = new Table()
                    .Border(TableBorder.None)
                    .AddColumns("id", "name", "secret", "models", "limits", "until", "owner");
                foreach (var key in keys.EnumerateArray())
                {
                    string Text(string field) =>
                        key.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String
                            ? value.GetString()!
                            : "";
                    var models = string.Join(
                        ", ",
                        key.GetProperty("models").EnumerateArray().Select(model => model.GetString())
                    );
                    table.AddRow(
                        new[]
                        {
                            Text("id"),
                            Text("name"),
                            Text("hint"),
                            models.Length == 0 ? "all" : models,
                            Limits(key),
                            Until(key, Text("expires")),
                            Text("owner"),
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

    private static string Limits(JsonElement key)
    {
        string? Limit(string field, string form) =>
            key.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number
                ? string.Format(CultureInfo.InvariantCulture, form, value.GetDouble())
                : null;
        return string.Join(
            ", ",
            new[]
            {
                Limit("rpm", "{0}/min"),
                Limit("tpm", "{0} tokens/min"),
                Limit("budget_per_day", "${0} a day"),
                Limit("budget_per_month", "${0} a month"),
            }.OfType<string>()
        );
    }

    private static string Until(JsonElement key, string expires) =>
        key.GetProperty("disabled").GetBoolean() ? "disabled"
        : expires.Length >= 10 ? expires[..10]
        : "";

    private static Command CreateChange()
    {
        var id = new Argument<string>("id");
        var off = new Option<bool?>("--disabled") { Description = "true or false" };
        var command = new Command("change", "Change what a key may do; -1 takes a limit away")
        {
            id,
            Models,
            Rpm,
            Tpm,
            PerDay,
            PerMonth,
            Expires,
            Owner,
            Team,
            off,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var request = Request(parsed, null);
                request["disabled"] = parsed.GetValue(off);
                var key = await CliContext
                    .Create(parsed)
                    .PatchAsync<JsonElement>(
                        "/api/v1/keys/" + Uri.EscapeDataString(parsed.GetValue(id)!),
                        request,
                        cancellation
                    );
                Console.WriteLine(
                    $"{key.GetProperty("name").GetString()}: "
                        + $"{(Limits(key) is { Length: > 0 } limits ? limits : "no limits")}"
                );
                return 0;
            }
        );
        return command;
    }

    private static Command CreateWithdraw()
    {
        var id = new Argument<string>("id");
        var command = new Command("withdraw", "Withdraw a key; it is refused everywhere after two seconds") { id };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                await CliContext
                    .Create(parsed)
                    .DeleteAsync("/api/v1/keys/" + Uri.EscapeDataString(parsed.GetValue(id)!), cancellation);
                Console.WriteLine("withdrawn");
                return 0;
            }
        );
        return command;
    }

    private static Dictionary<string, object?> Request(ParseResult parsed, string? name)
    {
        DateTimeOffset? until = null;
        if (parsed.GetValue(Expires) is { } text)
            until = DateTimeOffset.TryParse(
                text,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out var time
            )
                ? time
                : throw new CliException($"--expires is '{text}', which is no day such as 2027-01-31.");
        return new()
        {
            ["name"] = name,
            ["owner"] = parsed.GetValue(Owner),
            ["team"] = parsed.GetValue(Team),
            ["models"] = parsed.GetValue(Models) is { Length: > 0 } models ? models : null,
            ["rpm"] = parsed.GetValue(Rpm),
            ["tpm"] = parsed.GetValue(Tpm),
            ["budget_per_day"] = parsed.GetValue(PerDay),
            ["budget_per_month"] = parsed.GetValue(PerMonth),
            ["expires"] = until,
        };
    }
}
