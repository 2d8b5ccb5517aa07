using System.Reflection;
using Galaxy.LocalHosting.Processes;
using Microsoft.Extensions.Hosting;

namespace Galaxy.AppHost.Startup;

/// <summary>
/// Keeps two promises about the end of the program: it takes at most 10 s, and it comes when the <c>dotnet run</c>
/// around it is killed. Does nothing where the model runs inside another program, such as a test.
/// </summary>
internal sealed class ProcessEnd : IDisposable
{
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(8);

    private readonly IDisposable? _parent;

    private ProcessEnd(IDisposable? parent) => _parent = parent;

    /// <summary>False where the model runs inside another program.</summary>
    public static bool IsOwnProgram => Assembly.GetEntryAssembly() == typeof(ProcessEnd).Assembly;

    /// <summary>From now on until it is disposed of.</summary>
    public static ProcessEnd Guard(IHostApplicationLifetime lifetime)
    {
        if (!IsOwnProgram)
            return new ProcessEnd(null);
        lifetime.ApplicationStopping.Register(() => new Thread(EndAfterBudget) { IsBackground = true }.Start());
        return new ProcessEnd(ParentWatch.Start(lifetime.StopApplication));
    }

    // The services follow this process, and the orchestrator does, too.
    private static void EndAfterBudget()
    {
        Thread.Sleep(Budget);
        Console.Error.WriteLine(
            $"Not everything has stopped within {Budget.TotalSeconds:0} s; the rest ends with this program."
        );
        Environment.Exit(Environment.ExitCode);
    }

    public void Dispose() => _parent?.Dispose();
}
