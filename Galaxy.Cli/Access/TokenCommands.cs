using System.CommandLine;
using System.Globalization;
using System.Net;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Spectre.Console;

namespace Galaxy.Cli.Access;

/// <summary><c>galaxy token</c>: join tokens, each good for one device.</summary>
internal static class TokenCommands
{
    public static Command Create() =>
        new("token", "Make tokens that devices join with, each good for one of them")
        {
            CreateMake(),
            CreateList(),
            CreateDelete(),
        };

    private static Command CreateMake()
    {
        var role = new Option<string>("--role")
        {
            Description = "viewer, client, worker, operator or admin",
            DefaultValueFactory = _ => "worker",
        };
        role.AcceptOnlyFromAmong([.. AccessRoles.Names]);
        var ttl = new Option<string>("--ttl")
        {
            Description = "How long it may be used: 90s, 30m, 1h, 7d",
            DefaultValueFactory = _ => "1h",
        };
        var name = new Option<string>("--name")
        {
            Description = "Whose key it becomes (default: as the device calls itself)",
        };
        var bare = new Option<bool>("--bare") { Description = "Only the token, for scripts" };
        var command = new Command("create", "Make a join token, and a QR code to scan it") { role, ttl, name, bare };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var context = CliContext.Create(parsed);
                var request = new
                {
                    role = parsed.GetValue(role),
                    ttl_seconds = Ttl(parsed.GetValue(ttl)!).TotalSeconds,
                    name = parsed.GetValue(name),
                };
                var made = await context.PostAsync<JoinTokenView>("/api/v1/access/tokens", request, cancellation);
                if (parsed.GetValue(bare))
                {
                    Console.WriteLine(made.Token);
                    return 0;
                }
                var url = Reachable(context.Url);
                Console.WriteLine(QrCode.Draw($"galaxy://join?url={Uri.EscapeDataString(url)}&token={made.Token}"));
                Console.WriteLine($"{made.Token}");
                Console.WriteLine();
                Console.WriteLine(
                    $"Good for one {made.Role} until {made.Expires.ToLocalTime():yyyy-MM-dd HH:mm}; this "
                        + "is the only time that it is shown."
                );
                Console.WriteLine($"On the device:  galaxy worker --join {made.Token} --url {url}");
                return 0;
            }
        );
        return command;
    }

    private static Command CreateList()
    {
        var command = new Command("list", "List join tokens, also used and expired ones of the last week");
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var tokens = await CliContext
                    .Create(parsed)
                    .GetAsync<List<JoinTokenView>>("/api/v1/access/tokens", cancellation);
                var table = new Table().Border(TableBorder.None).AddColumns("id", "role", "name", "state", "by");
                foreach (var token in tokens)
                    table.AddRow(
                        new[] { token.Id, token.Role, token.Name ?? "", State(token), token.By }
                            .Select(Markup.Escape)
                            .ToArray()
                    );
                AnsiConsole.Write(table);
                return 0;
            }
        );
        return command;
    }

    private static Command CreateDelete()
    {
        var id = new Argument<string>("id");
        var command = new Command("delete", "Delete a join token; a key that it was changed for stays") { id };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                await CliContext
                    .Create(parsed)
                    .DeleteAsync("/api/v1/access/tokens/" + Uri.EscapeDataString(parsed.GetValue(id)!), cancellation);
                Console.WriteLine("deleted");
                return 0;
            }
        );
        return command;
    }

    private static string State(JoinTokenView token) =>
        token switch
        {
            { Used: { } used } => $"used {used.ToLocalTime():yyyy-MM-dd HH:mm} for key {token.KeyId}",
            _ when token.Expires < DateTimeOffset.UtcNow => "expired",
            _ => $"open until {token.Expires.ToLocalTime():yyyy-MM-dd HH:mm}",
        };

    /// <summary>A duration such as <c>90s</c>, <c>30m</c>, <c>1h</c> or <c>7d</c>.</summary>
    /// <exception cref="CliException">It is none.</exception>
    public static TimeSpan Ttl(string text)
    {
        if (
            text.Length > 1
            && double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number > 0
            && number < 100_000
        )
        {
            switch (text[^1])
            {
                case 's':
                    return TimeSpan.FromSeconds(number);
                case 'm':
                    return TimeSpan.FromMinutes(number);
                case 'h':
                    return TimeSpan.FromHours(number);
                case 'd':
                    return TimeSpan.FromDays(number);
            }
        }
        throw new CliException($"--ttl is '{text}', which is no duration such as 90s, 30m, 1h or 7d.");
    }

    // A phone cannot reach this machine by the name that this machine has for itself.
    private static string Reachable(Uri url) =>
        url.IsLoopback && OwnAddresses.Choose() is var own && !IPAddress.IsLoopback(own)
            ? $"{url.Scheme}://{own}:{url.Port}"
            : url.ToString().TrimEnd('/');
}
