namespace Galaxy.LocalHosting.Description;

/// <summary>What a service is told about others: the addresses of all services of a kind.</summary>
/// <param name="Kind">The <see cref="ServiceKind.Name"/> of the others.</param>
/// <param name="Endpoint">One endpoint of them; null: all.</param>
public sealed record ServiceReference(string Kind, string? Endpoint = null);

/// <summary>
/// How a service of Galaxy is started: its program, ports, references and order. Both the AppHost and <c>galaxy
/// start</c> read this description; neither repeats it.
/// </summary>
/// <param name="Name">The kind, and the name of the only service of this kind on a machine.</param>
/// <param name="Project">The project, and the folder of its program.</param>
public sealed record ServiceKind(string Name, string Project)
{
    /// <summary>What it listens on; the first one answers <see cref="HealthPath"/>.</summary>
    public IReadOnlyList<EndpointDescription> Endpoints { get; init; } = [];

    /// <summary>
    /// A GET of this path is answered with 200 while the process works; null: there is no such answer.
    /// </summary>
    public string? HealthPath { get; init; } = "/alive";

    /// <summary>The services whose addresses it gets.</summary>
    public IReadOnlyList<ServiceReference> References { get; init; } = [];

    /// <summary>
    /// The kinds that are healthy before the first start of this one. A later start waits for nothing.
    /// </summary>
    public IReadOnlyList<string> WaitsFor { get; init; } = [];

    /// <summary>Whether it gets the connection strings of the stores.</summary>
    public bool UsesStores { get; init; }

    /// <summary>Whether it is a node: has a name, a key, an address to listen on and a data folder.</summary>
    public bool IsNode { get; init; } = true;

    /// <summary>The file name of the program, without the ending of the platform.</summary>
    public string Program { get; init; } = Project;

    /// <summary>Whether both are the same kind, whatever ports a machine gave it.</summary>
    public bool Is(ServiceKind other) => Name == other.Name;
}
