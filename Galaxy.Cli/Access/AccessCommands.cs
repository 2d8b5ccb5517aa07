using System.CommandLine;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Authentication;
using Spectre.Console;

namespace Galaxy.Cli.Access;

/// <summary><c>galaxy access</c> and <c>galaxy audit</c>: keys with roles, and the audit log of their use.</summary>
internal static class AccessCommands
{
    public static Command Create() =>
        new("access", "Give out keys with a role to people and programs")
        {
            CreateGive(),
            CreateList(),
            CreateWithdraw(),
        };

    private static Command CreateGive()
    {
        var name = new Argument<string>("name") { Description = "Whose key it is; the audit log calls him so" };
        var role = new Option<string>("--role")
        {
            Description = "viewer, client, worker, operator or admin",
            Required = true,
        };
        role.AcceptOnlyFromAmong([.. AccessRoles.Names]);
        var ttl = new Option<string>("--ttl")
        {
            Description = "How long it is good, for instance 30d (default: until it is withdrawn)",
        };
        var command = new Command("create", "Give out a key; its secret is shown once") { name, role, ttl };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                DateTimeOffset? expires = parsed.GetValue(ttl) is { } text
                    ? DateTimeOffset.UtcNow + TokenCommands.Ttl(text)
                    : null;
                var made = await CliContext
                    .Create(parsed)
                    .PostAsync<AccessKeyView>(
                        "/api/v1/access/keys",
                        new
                        {
                            name = parsed.GetValue(name),
                            role = parsed.GetValue(role),
                            expires,
                        },
                        cancellation
                    );
                await Console.Error.WriteLineAsync(
                    $"key {made.Id} for {made.Name}, {made.Role}; this is the only time that its secret is shown:"
                );
                Console.WriteLine(made.Secret);
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
                var keys = await CliContext
                    .Create(parsed)
                    .GetAsync<List<AccessKeyView>>("/api/v1/access/keys", cancellation);
                var table = new Table()
                    .Border(TableBorder.None)
                    .AddColumns("id", "name", "role", "created", "until", "by");
                foreach (var key in keys)
                    table.AddRow(
                        new[]
                        {
                            key.Id,
                            key.Name,
                            key.Role,
                            $"{key.Created.ToLocalTime():yyyy-MM-dd HH:mm}",
                            key.Expires is { } until ? $"{until.ToLocalTime():yyyy-MM-dd HH:mm}" : "",
                            key.By,
                        }
                            .Select(Markup.Escape)
                            .ToArray()
                    );
                AnsiConsole.Write(table);
                return 0;
            }
        );
        return command;
    }

    private static Command CreateWithdraw()
    {
        var id = new Argument<string>("id");
        var command = new Command("withdraw", "Withdraw a key; it is refused everywhere at once") { id };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                await CliContext
                    .Create(parsed)
                    .DeleteAsync("/api/v1/access/keys/" + Uri.EscapeDataString(parsed.GetValue(id)!), cancellation);
                Console.WriteLine("withdrawn");
                return 0;
            }
        );
        return command;
    }

    public static Command CreateAudit()
    {
        var limit = new Option<int>("--limit") { Description = "So many, newest first", DefaultValueFactory = _ => 30 };
        var command = new Command("audit", "Who did what to the cluster, from where, and how it ended") { limit };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var acts = await CliContext
                    .Create(parsed)
                    .GetAsync<List<AuditView>>($"/api/v1/audit?limit={parsed.GetValue(limit)}", cancellation);
                var table = new Table()
                    .Border(TableBorder.None)
                    .AddColumns("at", "who", "role", "what", "result", "from");
                foreach (var act in acts)
                    table.AddRow(
                        new[]
                        {
                            $"{act.At.ToLocalTime():MM-dd HH:mm:ss}",
                            act.Who,
                            act.Role,
                            act.What,
                            $"{act.Status}",
                            act.From,
                        }
                            .Select(Markup.Escape)
                            .ToArray()
                    );
                AnsiConsole.Write(table);
                return 0;
            }
        );
        return command;
    }
}
