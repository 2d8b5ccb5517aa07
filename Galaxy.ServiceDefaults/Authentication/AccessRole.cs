namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>
/// What a caller may do. An admin may do everything; an operator what members, clients and workers may, and steer the
/// cluster.
/// </summary>
public enum AccessRole
{
    /// <summary>No right of its own; as a requirement: any role will do.</summary>
    Member,

    /// <summary>Gives tasks, asks models, calls tools, and reads what there is.</summary>
    Client,

    /// <summary>Joins as a device and runs tasks.</summary>
    Worker,

    /// <summary>Steers the cluster: failovers, devices, groups, state.</summary>
    Operator,

    /// <summary>Everything, with keys and configuration.</summary>
    Admin,

    /// <summary>
    /// Sees what an operator sees, and changes nothing. Beside clients and workers; last, because the number is in
    /// tokens between services.
    /// </summary>
    Viewer,
}

/// <summary>Names and order of <see cref="AccessRole"/>.</summary>
public static class AccessRoles
{
    /// <summary>As the API writes them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["viewer", "client", "worker", "operator", "admin"];

    public static string Name(this AccessRole role) =>
        role switch
        {
            AccessRole.Client => "client",
            AccessRole.Worker => "worker",
            AccessRole.Operator => "operator",
            AccessRole.Admin => "admin",
            AccessRole.Viewer => "viewer",
            _ => "member",
        };

    /// <summary>Null: there is no such role.</summary>
    public static AccessRole? Parse(string? name) =>
        name switch
        {
            "client" => AccessRole.Client,
            "worker" => AccessRole.Worker,
            "operator" => AccessRole.Operator,
            "admin" => AccessRole.Admin,
            "viewer" => AccessRole.Viewer,
            _ => null,
        };

    /// <summary>
    /// Whether a caller with this role may do what needs the other. Viewers, clients and workers are side by side, none
    /// includes another.
    /// </summary>
    /// <param name="reads">The request changes nothing, and every caller that may look may send it: viewers see what
    /// operators see.</param>
    public static bool May(this AccessRole role, AccessRole needed, bool reads = false) =>
        needed == AccessRole.Member
        || role == needed
        || role switch
        {
            AccessRole.Admin => true,
            AccessRole.Operator => needed != AccessRole.Admin,
            AccessRole.Viewer => reads && needed != AccessRole.Admin,
            _ => false,
        };
}
