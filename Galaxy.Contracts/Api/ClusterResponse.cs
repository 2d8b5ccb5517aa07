namespace Galaxy.Contracts.Api;

/// <summary><c>GET /api/v1/cluster</c>: the one page of truth.</summary>
/// <param name="Leader">Null while there is none.</param>
/// <param name="DevicesOnline">Devices whose socket is open.</param>
public sealed record ClusterResponse(
    string Cluster,
    LeaderResponse? Leader,
    IReadOnlyList<NodeResponse> Nodes,
    int DevicesOnline,
    IReadOnlyList<ServiceResponse> Services
);

/// <param name="Token">The fencing token.</param>
/// <param name="Since">When the lease was acquired.</param>
/// <param name="LeaseMs">How long the lease holds after a renewal.</param>
/// <param name="LeaseLeftMs">How long the leader may go on without another renewal; only the leader itself knows, null
/// elsewhere.</param>
public sealed record LeaderResponse(
    string NodeId,
    long Token,
    string Url,
    DateTimeOffset Since,
    double? LeaseMs = null,
    double? LeaseLeftMs = null
);

/// <param name="State"><c>alive</c>, <c>suspect</c>, <c>dead</c> or <c>left</c>.</param>
public sealed record NodeResponse(
    string NodeId,
    string Role,
    string State,
    string Url,
    string Boot,
    int Pid,
    string Version,
    DateTimeOffset StartedAt
);

/// <summary>A router, gateway, OneApi or other service that announced itself.</summary>
public sealed record ServiceResponse(
    string Id,
    string Kind,
    string Layer,
    string Url,
    IReadOnlyList<string> Capabilities,
    int Pid,
    string Version,
    DateTimeOffset LastSeen
);
