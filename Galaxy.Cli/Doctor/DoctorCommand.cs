using System.CommandLine;
using System.Text.Json;
using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;
using Spectre.Console;

namespace Galaxy.Cli.Doctor;

/// <summary>
/// <c>galaxy doctor</c>: finds problems of this machine's part in the cluster, and says how to fix them.
/// </summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print the findings as JSON" };
        var command = new Command(
            "doctor",
            "Look for what is wrong: settings, key, ports, firewall, clocks, versions, store, disk; says how to mend it"
        )
        {
            json,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var findings = await LookAsync(parsed, cancellation);
                if (parsed.GetValue(json))
                    Console.WriteLine(JsonSerializer.Serialize(findings, GalaxyJson.Options));
                else
                    Print(findings);
                return findings.Any(finding => finding.Severity == Severity.Fault) ? 1 : 0;
            }
        );
        return command;
    }

    private static async Task<IReadOnlyList<Finding>> LookAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var folder = Directory.GetCurrentDirectory();
        var settings = new ConfigurationManager();
        settings.AddEnvironmentVariables();
        SettingException? refused = null;
        NodeOptions? node = null;
        try
        {
            settings.AddNodeFiles(folder);
            if (
                (parsed.GetValue(CliContext.KeyOption) ?? settings["GALAXY_API_KEY"] ?? CliContext.LocalKey()) is
                { } key
            )
                settings["GALAXY_API_KEY"] = key;
            node = NodeOptionsReader.Read(settings);
        }
        catch (SettingException wrong)
        {
            refused = wrong;
        }
        var url = parsed.GetValue(CliContext.UrlOption)
            ?? settings["GALAXY_URL"]
            ?? $"http://127.0.0.1:{settings["API_PORT"] ?? "8000"}";
        var patient = new Patient(
            settings,
            node,
            folder,
            Uri.TryCreate(url, UriKind.Absolute, out var api) && api.Scheme is "http" or "https"
                ? api
                : throw new CliException($"--url is '{url}', which is not an address such as http://127.0.0.1:8000."),
            null
        );

        var findings = new List<Finding>();
        findings.AddRange(MachineChecks.Settings(refused));
        findings.AddRange(MachineChecks.Key(patient));
        findings.AddRange(MachineChecks.TcpPorts(patient));
        findings.AddRange(MachineChecks.Disk(patient));
        findings.AddRange(await StoreChecks.LookAsync(patient));
        findings.AddRange(await NetworkChecks.NamedAsync(patient, cancellation));
        var (said, cluster) = await NetworkChecks.ClusterAsync(patient, cancellation);
        findings.AddRange(said);
        if (cluster is not null)
        {
            findings.AddRange(NetworkChecks.Members(cluster));
            findings.AddRange(await NetworkChecks.ReachAsync(cluster, cancellation));
            findings.AddRange(await RecordChecks.LookAsync(patient, cancellation));
        }
        return findings;
    }

    private static void Print(IReadOnlyList<Finding> findings)
    {
        foreach (var finding in findings.OrderByDescending(finding => finding.Severity))
        {
            var (mark, colour) = finding.Severity switch
            {
                Severity.Fault => ("✗", "red"),
                Severity.Warning => ("!", "yellow"),
                _ => ("✓", "green"),
            };
            AnsiConsole.MarkupLine($"[{colour}]{mark}[/] [bold]{finding.Check, -9}[/] {Markup.Escape(finding.What)}");
            if (finding.Cure.Length > 0)
                AnsiConsole.MarkupLine($"            [dim]→ {Markup.Escape(finding.Cure)}[/]");
        }
        var (faults, warnings) = (
            findings.Count(finding => finding.Severity == Severity.Fault),
            findings.Count(finding => finding.Severity == Severity.Warning)
        );
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLine(
            faults + warnings == 0
                ? "[green]Nothing is wrong.[/]"
                : $"{faults} {(faults == 1 ? "fault" : "faults")}, {warnings} "
                    + $"{(warnings == 1 ? "warning" : "warnings")}."
        );
    }
}
