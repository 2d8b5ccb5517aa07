using System.CommandLine;
using System.Globalization;
using Galaxy.Contracts.Api;
using Spectre.Console;

namespace Galaxy.Cli.Status;

/// <summary><c>galaxy status</c>: the leader and the nodes that are online.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var command = new Command("status", "Show the leader, the nodes, the services and the devices");
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var context = CliContext.Create(parsed);
                var cluster = await context.GetAsync<ClusterResponse>("/api/v1/cluster", cancellation);
                AnsiConsole.MarkupLineInterpolated($"cluster [bold]{cluster.Cluster}[/]");
                if (cluster.Leader is { } leader)
                {
                    AnsiConsole.MarkupInterpolated(
                        $"leader  [bold green]{leader.NodeId}[/]  token {leader.Token}  since "
                    );
                    AnsiConsole.MarkupLineInterpolated($"{leader.Since.ToLocalTime():HH:mm:ss}  {leader.Url}");
                }
                else
                    AnsiConsole.MarkupLine(
                        "leader  [bold red]none[/] (an election is under way; try again in a moment)"
                    );
                AnsiConsole.MarkupLineInterpolated($"devices {cluster.DevicesOnline} online");
                AnsiConsole.WriteLine();
                AnsiConsole.Write(Nodes(cluster));
                return 0;
            }
        );
        return command;
    }

    private static Table Nodes(ClusterResponse cluster)
    {
        var table = new Table().Border(TableBorder.None).AddColumns("node", "role", "state", "pid", "address");
        foreach (var node in cluster.Nodes)
        {
            var colour = node.State switch
            {
                "alive" => "green",
                "suspect" => "yellow",
                _ => "red",
            };
            table.AddRow(
                Markup.Escape(node.NodeId) + (node.NodeId == cluster.Leader?.NodeId ? " ★" : ""),
                node.Role,
                $"[{colour}]{node.State}[/]",
                node.Pid.ToString(CultureInfo.InvariantCulture),
                Markup.Escape(node.Url)
            );
        }
        foreach (
            var service in cluster
                .Services.OrderBy(s => s.Kind, StringComparer.Ordinal)
                .ThenBy(s => s.Id, StringComparer.Ordinal)
        )
            table.AddRow(
                Markup.Escape(service.Id),
                service.Kind,
                "[green]alive[/]",
                service.Pid.ToString(CultureInfo.InvariantCulture),
                Markup.Escape(service.Url)
            );
        return table;
    }
}
