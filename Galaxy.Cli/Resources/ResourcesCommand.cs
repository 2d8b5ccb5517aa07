using System.CommandLine;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.ServiceDefaults.Http;
using Spectre.Console;

namespace Galaxy.Cli.Resources;

/// <summary>
/// <c>galaxy resources [name start|stop|restart|kill|logs]</c>: the processes of the system that runs in this folder.
/// </summary>
internal static class ResourcesCommand
{
    public static Command Create()
    {
        var name = new Argument<string?>("name") { Description = "A resource", Arity = ArgumentArity.ZeroOrOne };
        var act = new Argument<string?>("act")
        {
            Description = "start, stop, restart, kill or logs",
            Arity = ArgumentArity.ZeroOrOne,
        };
        act.AcceptOnlyFromAmong("start", "stop", "restart", "kill", "logs");
        var command = new Command(
            "resources",
            "List, start, stop, restart or kill the processes of the Galaxy that runs in this folder"
        )
        {
            name,
            act,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var runner = Connect();
                if (parsed.GetValue(name) is not { } resource)
                    await ListAsync(runner, cancellation);
                else if (parsed.GetValue(act) is null or "logs")
                    Console.Write(
                        await SendAsync(() =>
                            runner.GetStringAsync(
                                new Uri($"/resources/{resource}/logs", UriKind.Relative),
                                cancellation
                            )
                        )
                    );
                else
                    await SendAsync(async () =>
                    {
                        using var response = await runner.PostAsync(
                            new Uri($"/resources/{resource}/{parsed.GetValue(act)}", UriKind.Relative),
                            null,
                            cancellation
                        );
                        response.EnsureSuccessStatusCode();
                        var pid =
                            parsed.GetValue(act) == "kill"
                                ? (await response.Content.ReadFromJsonAsync<JsonNode>(cancellation))?["pid"]
                                : null;
                        Console.WriteLine(Done(resource, parsed.GetValue(act)!, pid?.GetValue<int>()));
                        return "";
                    });
                return 0;
            }
        );
        return command;
    }

    private static string Done(string name, string act, int? pid) =>
        act switch
        {
            "kill" when pid is > 0 => $"{name} was killed (process {pid}). It is started again at once.",
            "kill" => $"{name} does not run.",
            "stop" => $"{name} is stopped, until 'galaxy resources {name} start'.",
            "restart" => $"{name} is being restarted.",
            _ => $"{name} is being started.",
        };

    private static HttpClient Connect()
    {
        for (
            var folder = new DirectoryInfo(Directory.GetCurrentDirectory());
            folder is not null;
            folder = folder.Parent
        )
        {
            var file = Path.Combine(folder.FullName, ".galaxy", "runner.json");
            if (!File.Exists(file))
                continue;
            var runner = JsonNode.Parse(File.ReadAllText(file))!;
            var client = InternalHttp.CreateClient(TimeSpan.FromSeconds(15), new Uri((string)runner["url"]!));
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Bearer",
                (string)runner["token"]!
            );
            return client;
        }
        throw new CliException(
            "No Galaxy runs in this folder or above it. Start one with 'dotnet run --project "
                + "Galaxy.AppHost', and call this from a folder below it."
        );
    }

    private static async Task ListAsync(HttpClient runner, CancellationToken cancellation)
    {
        var resources = await SendAsync(() => runner.GetFromJsonAsync<JsonArray>("/resources", cancellation));
        var table = new Table()
            .Border(TableBorder.None)
            .AddColumns("resource", "state", "pid", "restarts", "addresses");
        foreach (var resource in resources!)
        {
            table.AddRow(
                $"{resource!["name"]}",
                $"{resource["state"]}",
                $"{resource["pid"]}",
                $"{resource["restarts"]}",
                string.Join(' ', resource["endpoints"]!.AsObject().Select(endpoint => $"{endpoint.Value}"))
            );
        }
        AnsiConsole.Write(table);
    }

    private static async Task<T> SendAsync<T>(Func<Task<T>> send)
    {
        try
        {
            return await send();
        }
        catch (HttpRequestException failure)
        {
            throw new CliException(
                failure.StatusCode is null
                    ? "Galaxy does not answer here; it has probably stopped. Start it with 'dotnet run "
                        + "--project Galaxy.AppHost'."
                    : $"There is no such process ({(int)failure.StatusCode}). 'galaxy resources' lists them."
            );
        }
    }
}
