namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>What somebody may do. An admin may do everything; an operator what members, clients and workers may, and steer the cluster.</summary>
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
}

/// <summary>Names and order of <see cref="AccessRole"/>.</summary>
public static class AccessRoles
{
    /// <summary>As the API writes them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["client", "worker", "operator", "admin"];

    public static string Name(this AccessRole role) => role switch
    {
        AccessRole.Client => "client",
        AccessRole.Worker => "worker",
        AccessRole.Operator => "operator",
        AccessRole.Admin => "admin",
        _ => "member",
    };

    /// <summary>Null: there is no such role.</summary>
    public static AccessRole? Parse(string? name) => name switch
    {
        "client" => AccessRole.Client,
        "worker" => AccessRole.Worker,
        "operator" => AccessRole.Operator,
        "admin" => AccessRole.Admin,
        _ => null,
    };

    /// <summary>Whether who has this role may do what needs the other. Clients and workers are beside each other, neither above the other.</summary>
    public static bool May(this AccessRole role, AccessRole needed) =>
        needed == AccessRole.Member || role == needed || (role >= AccessRole.Operator && role > needed);
}
