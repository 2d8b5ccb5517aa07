namespace Galaxy.LocalHosting.Description;

/// <summary>A port that a service listens on.</summary>
/// <param name="Name">Unique within the service; others find it as <c>services__service__name__0</c>.</param>
/// <param name="Port">The port on a machine of its own, 1 to 65535.</param>
/// <param name="Variable">The setting that tells the process its port; null: <c>ASPNETCORE_URLS</c> does.</param>
public sealed record EndpointDescription(string Name, int Port, string? Variable = null)
{
    /// <summary>The scheme of its addresses.</summary>
    public string Scheme { get; init; } = "http";

    /// <summary>
    /// Whether people and programs outside know this port: it is then the same in development, and
    /// <see cref="Variable"/> changes it. Every other endpoint gets a free port in development, where several services
    /// of a kind share the machine.
    /// </summary>
    public bool IsPublic { get; init; }

    /// <summary>Whether it speaks HTTP/2 only, as gRPC without TLS does.</summary>
    public bool IsHttp2 => Name.EndsWith("grpc", StringComparison.Ordinal);
}
