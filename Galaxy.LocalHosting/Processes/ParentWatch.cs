namespace Galaxy.LocalHosting.Processes;

/// <summary>
/// Ends the run when the <c>dotnet run</c> that started it is killed: the terminal that showed its output is gone. A
/// shell that ends (nohup, a service manager) does not count.
/// </summary>
public static class ParentWatch
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public static IDisposable Start(Action orphaned)
    {
        var parent = Signals.ParentProcessId;
        if (
            !OperatingSystem.IsLinux()
            || !File.Exists($"/proc/{parent}/comm")
            || File.ReadAllText($"/proc/{parent}/comm").Trim() != "dotnet"
        )
            return new Timer(_ => { });
        return new Timer(
            _ =>
            {
                if (Signals.ParentProcessId != parent)
                    orphaned();
            },
            null,
            Interval,
            Interval
        );
    }
}
