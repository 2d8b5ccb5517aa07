using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using Galaxy.LocalHosting.Processes;
using Microsoft.Extensions.DependencyInjection;

namespace Galaxy.AppHost.Commands;

/// <summary>Commands on the process of a resource: Kill, Pause, Resume. Thread-safe.</summary>
internal static class ProcessCommands
{
    // Which processes are paused; a process that has ended is paused no more.
    private static readonly ConcurrentDictionary<int, bool> Paused = new();

    public static IResourceBuilder<T> WithProcessCommands<T>(this IResourceBuilder<T> builder)
        where T : IResource
    {
        if (OperatingSystem.IsWindows())
            return builder;
        builder.WithCommand(
            "kill",
            "Kill",
            context => Task.FromResult(Send(context, Signals.Kill, "was killed (SIGKILL)")),
            new CommandOptions
            {
                Description =
                    "Ends the process at once (SIGKILL), as a crash does. The restart policy starts it again.",
                ConfirmationMessage = "End this process at once, as a crash does?",
                IconName = "PlugDisconnected",
                UpdateState = context => StateOf(context, _ => true),
            }
        );
        builder.WithCommand(
            "pause",
            "Pause",
            context => Task.FromResult(Pause(context)),
            new CommandOptions
            {
                Description = "Stops the process without ending it (SIGSTOP), as a machine that hangs does.",
                ConfirmationMessage = "Pause this process until it is resumed?",
                IconName = "Pause",
                UpdateState = context => StateOf(context, pid => !Paused.ContainsKey(pid)),
            }
        );
        builder.WithCommand(
            "resume",
            "Resume",
            context => Task.FromResult(Resume(context)),
            new CommandOptions
            {
                Description = "Lets a paused process go on (SIGCONT).",
                IconName = "Play",
                UpdateState = context => StateOf(context, Paused.ContainsKey),
            }
        );
        return builder;
    }

    /// <summary>The process of a resource; null while it does not run.</summary>
    public static int? ProcessId(ImmutableArray<ResourcePropertySnapshot> properties) =>
        properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value is { } value
        && int.TryParse(
            Convert.ToString(value, CultureInfo.InvariantCulture),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var pid
        )
            ? pid
            : null;

    private static ExecuteCommandResult Pause(ExecuteCommandContext context)
    {
        var result = Send(context, Signals.Stop, "is paused (SIGSTOP)");
        if (result.Success && CurrentProcess(context) is { } pid)
            Paused[pid] = true;
        return result;
    }

    private static ExecuteCommandResult Resume(ExecuteCommandContext context)
    {
        if (CurrentProcess(context) is { } pid)
            Paused.TryRemove(pid, out _);
        return Send(context, Signals.Continue, "goes on (SIGCONT)");
    }

    private static ExecuteCommandResult Send(ExecuteCommandContext context, int signal, string done)
    {
        if (CurrentProcess(context) is not { } pid)
            return CommandResults.Failure($"{context.ResourceName} does not run.");
        Signals.Send(pid, signal);
        return CommandResults.Success($"Process {pid} {done}.");
    }

    private static int? CurrentProcess(ExecuteCommandContext context) =>
        context
            .Services.GetRequiredService<ResourceNotificationService>()
            .TryGetCurrentState(context.ResourceName, out var current)
        && current.Snapshot.State?.Text == KnownResourceStates.Running
            ? ProcessId(current.Snapshot.Properties)
            : null;

    private static ResourceCommandState StateOf(UpdateCommandStateContext context, Func<int, bool> isAllowed) =>
        context.ResourceSnapshot.State?.Text == KnownResourceStates.Running
        && ProcessId(context.ResourceSnapshot.Properties) is { } pid
        && isAllowed(pid)
            ? ResourceCommandState.Enabled
            : ResourceCommandState.Disabled;
}
