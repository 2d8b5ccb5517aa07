namespace Galaxy.LocalHosting.Control;

/// <summary>A process as the console and <c>galaxy resources</c> show it.</summary>
/// <param name="State"><c>waiting</c>, <c>starting</c>, <c>healthy</c>, <c>restarting</c>, <c>stopped</c> or
/// <c>failed</c>.</param>
/// <param name="Pid">Null while it does not run.</param>
/// <param name="Restarts">How often it ended by itself and was started again.</param>
/// <param name="Endpoints">The addresses by the names of the endpoints.</param>
public sealed record ProcessStatus(
    string Name,
    string State,
    int? Pid,
    int Restarts,
    IReadOnlyDictionary<string, string> Endpoints
);

/// <summary>
/// Shows, starts and stops the processes of this machine; the AppHost and the supervisor each have one.
/// </summary>
public interface IProcessControl
{
    IReadOnlyList<ProcessStatus> List();

    /// <summary>The last lines that it wrote; null: there is no process of this name.</summary>
    IReadOnlyList<string>? Output(string name);

    /// <summary>Starts it; does nothing when it runs. False: there is no process of this name.</summary>
    Task<bool> StartAsync(string name, CancellationToken cancellationToken);

    /// <summary>Stops it for good, until it is started again. False: there is no process of this name.</summary>
    Task<bool> StopAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// SIGKILL; it is started again as after any death. Null: there is no process of this name; 0: it does not run.
    /// </summary>
    int? Kill(string name);
}
