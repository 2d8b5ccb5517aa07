using System.CommandLine;
using Galaxy.Cli;
using Galaxy.Cli.Access;
using Galaxy.Cli.Config;
using Galaxy.Cli.Doctor;
using Galaxy.Cli.Failover;
using Galaxy.Cli.Machine;
using Galaxy.Cli.Models;
using Galaxy.Cli.Resources;
using Galaxy.Cli.Routing;
using Galaxy.Cli.State;
using Galaxy.Cli.Status;
using Galaxy.Cli.Tasks;
using Galaxy.Cli.Worker;
using Galaxy.ServiceDefaults.Http;
using Galaxy.ServiceDefaults.Nodes;
using Galaxy.ServiceDefaults.Processes;
using Spectre.Console;

ParentProcess.Follow();
OutboundHttp.UseAsDefault();

var worker = WorkerCommand.Create();
var root = new RootCommand("galaxy: look at a Galaxy cluster, steer it, and join it as a worker")
{
    StatusCommand.Create(),
    DoctorCommand.Create(),
    FailoverCommand.Create(),
    FailoversCommand.Create(),
    OrderCommands.CreatePromote(),
    OrderCommands.CreatePrimary(),
    OrderCommands.CreateSecondary(),
    OrderCommands.CreateDrain(),
    CheckCommand.Create(),
    TaskCommand.Create(),
    RouteCommand.Create(),
    ToolCommands.CreateTools(),
    ToolCommands.CreateInvoke(),
    ModelCommands.CreateModels(),
    ModelCommands.CreateChat(),
    ModelCommands.CreateUsage(),
    KeyCommands.Create(),
    AccessCommands.Create(),
    TokenCommands.Create(),
    AccessCommands.CreateAudit(),
    ConsoleCommand.Create(),
    StateCommand.Create(),
    QuarantineCommands.Create(),
    ConfigCommand.Create(),
    worker,
    StartCommand.Create(worker),
    BackupCommands.CreateBackup(),
    BackupCommands.CreateRestore(),
    ResourcesCommand.Create(),
};
root.Options.Add(CliContext.UrlOption);
root.Options.Add(CliContext.KeyOption);

try
{
    // A worker that was told to stop finishes what it has begun; the library's own two seconds would cut it off.
    return await root.Parse(args)
        .InvokeAsync(
            new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = TimeSpan.FromSeconds(40),
            }
        );
}
catch (Exception failure) when (failure is CliException or SettingException)
{
    AnsiConsole.Console.Profile.Out.Writer.Flush();
    await Console.Error.WriteLineAsync("error: " + failure.Message);
    return 2;
}
catch (Exception failure) when (args is ["start", ..] && failure is UnauthorizedAccessException or IOException)
{
    // A source folder that is read-only, for instance on a shared drive.
    await Console.Error.WriteLineAsync(
        $"error: {failure.Message.TrimEnd('.')}. This machine's data is kept in .galaxy of this folder; "
            + "set GALAXY_DATA to a folder that can be written."
    );
    return 3;
}
catch (OperationCanceledException)
{
    return 130;
}
