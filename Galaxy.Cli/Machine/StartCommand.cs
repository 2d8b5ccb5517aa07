using System.CommandLine;
using Galaxy.LocalHosting.Description;
using Galaxy.LocalHosting.Processes;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;

namespace Galaxy.Cli.Machine;

/// <summary>
/// <c>galaxy start</c>: this machine as a node of the cluster, with everything that a master needs; what
/// <c>start.sh</c> calls.
/// </summary>
internal static class StartCommand
{
    public static Command Create(Command worker)
    {
        var asWorker = new Option<bool>("--worker")
        {
            Description = "Only run tasks here: the same as 'galaxy worker'",
        };
        var asStandby = new Option<bool>("--standby")
        {
            Description = "Lead only while no coordinator can (default: Galaxy_NODE_ROLE)",
        };
        var asWitness = new Option<bool>("--witness")
        {
            Description =
                "Only keep a store here, so that two other machines can tell which of them goes on when "
                + "their line is cut",
        };
        var quiet = new Option<bool>("--quiet") { Description = "Show no lines of the services" };
        var command = new Command(
            "start",
            "Start this machine as a node: store, coordinator, router, models, gateway, console, discovery"
        )
        {
            asWorker,
            asStandby,
            asWitness,
            quiet,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                using var context = CliContext.Create(parsed);
                var role = Role(
                    parsed.GetValue(asWorker),
                    parsed.GetValue(asStandby),
                    parsed.GetValue(asWitness),
                    context.Node.Role
                );
                if (role == MachineRole.Worker)
                    return await worker
                        .Parse([])
                        .InvokeAsync(
                            new InvocationConfiguration
                            {
                                EnableDefaultExceptionHandler = false,
                                ProcessTerminationTimeout = TimeSpan.FromSeconds(40),
                            },
                            cancellation
                        );
                if (context.Node.ApiKey is null)
                    throw new CliException(
                        "GALAXY_API_KEY is not set: run ./deploy.sh, which writes a key into .env, or copy "
                            + "the .env of the first machine; all machines of a cluster share one key."
                    );
                var plan = await MachinePlan.MakeAsync(
                    role,
                    context.Node,
                    context.Configuration,
                    new OwnAddresses(TimeProvider.System),
                    cancellation
                );
                foreach (var warning in plan.Warnings)
                    await Console.Error.WriteLineAsync("warning: " + warning);
                var programs = ProgramFolder.Beside(AppContext.BaseDirectory)
                    ?? throw new CliException(
                        "The services' programs are not beside this one. Run ./deploy.sh, which builds "
                            + "them, and then ./start.sh; a single-file 'galaxy' is for 'galaxy worker' and the "
                            + "other commands."
                    );
                try
                {
                    await using var supervisor = MachineModel.Build(plan, programs, parsed.GetValue(quiet));
                    return await supervisor.RunAsync(cancellation);
                }
                catch (PortTakenException taken)
                {
                    await Console.Error.WriteLineAsync("error: " + taken.Message);
                    return PortTakenException.ExitCode;
                }
            }
        );
        return command;
    }

    private static MachineRole Role(bool worker, bool standby, bool witness, NodeRole configured)
    {
        if ((worker ? 1 : 0) + (standby ? 1 : 0) + (witness ? 1 : 0) > 1)
            throw new CliException("Of --worker, --standby and --witness only one can be given.");
        return worker || (configured == NodeRole.Worker && !standby && !witness) ? MachineRole.Worker
            : witness ? MachineRole.Witness
            : standby || configured == NodeRole.Standby ? MachineRole.Standby
            : MachineRole.Coordinator;
    }
}
