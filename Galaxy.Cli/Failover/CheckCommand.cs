using System.CommandLine;
using Galaxy.Contracts.Api;
using Spectre.Console;

namespace Galaxy.Cli.Failover;

/// <summary><c>galaxy check add | remove</c>: what a coordinator must pass to lead.</summary>
internal static class CheckCommand
{
    public static Command Create() =>
        new("check", "Health checks that a coordinator must pass to lead") { Add(), Remove() };

    private static Command Add()
    {
        var name = new Argument<string>("name") { Description = "The check's name; an existing one is changed" };
        var kind = new Argument<string>("kind") { Description = "http, tcp, grpc, redis or command" };
        var target = new Argument<string>("target")
        {
            Description = "An address; for command a program with its arguments",
        };
        var node = new Option<string?>("--node") { Description = "The coordinator that checks (default: every one)" };
        var interval = new Option<double?>("--interval") { Description = "Seconds between two runs (default: 10)" };
        var timeout = new Option<double>("--timeout")
        {
            Description = "Seconds until a run has failed",
            DefaultValueFactory = _ => 2,
        };
        var threshold = new Option<int>("--threshold")
        {
            Description = "So many failures in a row make it unhealthy",
            DefaultValueFactory = _ => 3,
        };
        var command = new Command("add", "Add or change a check")
        {
            name,
            kind,
            target,
            node,
            interval,
            timeout,
            threshold,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var check = new HealthCheckerSettings(
                    parsed.GetValue(name)!,
                    parsed.GetValue(kind)!,
                    parsed.GetValue(target)!,
                    parsed.GetValue(node),
                    parsed.GetValue(interval),
                    parsed.GetValue(timeout),
                    parsed.GetValue(threshold)
                );
                var status = await CliContext
                    .Create(parsed)
                    .PostAsync<FailoverStatus>("/api/v1/failover/checks", check, cancellation);
                AnsiConsole.MarkupLineInterpolated(
                    $"[bold]{check.Name}[/] is registered; {status.Settings.Checkers.Count} checks"
                );
                return 0;
            }
        );
        return command;
    }

    private static Command Remove()
    {
        var name = new Argument<string>("name") { Description = "The check's name" };
        var command = new Command("remove", "Remove a check") { name };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                await CliContext
                    .Create(parsed)
                    .DeleteAsync<FailoverStatus>(
                        $"/api/v1/failover/checks/{Uri.EscapeDataString(parsed.GetValue(name)!)}",
                        cancellation
                    );
                AnsiConsole.MarkupLineInterpolated($"[bold]{parsed.GetValue(name)}[/] is removed");
                return 0;
            }
        );
        return command;
    }
}
