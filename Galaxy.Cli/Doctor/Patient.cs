using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.Extensions.Configuration;

namespace Galaxy.Cli.Doctor;

/// <summary>The subject of the checks: this machine's settings, and the cluster as far as it answers.</summary>
/// <param name="Node">Null: the settings cannot be read.</param>
/// <param name="Cluster">Null: it does not answer, or refuses the key.</param>
internal sealed record Patient(
    IConfiguration Settings,
    NodeOptions? Node,
    string Folder,
    Uri Api,
    ClusterResponse? Cluster
)
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public string Data =>
        Settings["GALAXY_DATA"] is { Length: > 0 } named ? Path.GetFullPath(named) : Path.Combine(Folder, ".galaxy");
}
