namespace Galaxy.LocalHosting.Description;

/// <summary>What keeps exclusive data in a development system: <c>--redis</c>.</summary>
public enum StoreKind
{
    /// <summary><c>Galaxy.Store</c>, which needs nothing installed.</summary>
    Embedded,

    /// <summary>A <c>redis-server</c> that is on PATH.</summary>
    Server,

    /// <summary>A Redis container; needs Docker or Podman.</summary>
    Container,

    /// <summary>A Redis that runs already.</summary>
    Address,
}

/// <param name="Address">The <c>host:port[,option=…]</c> of a Redis that runs already; null for all other
/// kinds.</param>
public sealed record StoreChoice(StoreKind Kind, string? Address = null)
{
    internal const string Allowed =
        "embedded, server, container, or the host:port ([address]:port for IPv6) of a Redis that runs";

    /// <exception cref="SystemOptionException">The text is none of them.</exception>
    public static StoreChoice Parse(string text) =>
        text switch
        {
            "embedded" => new(StoreKind.Embedded),
            "server" => new(StoreKind.Server),
            "container" => new(StoreKind.Container),
            _ when Uri.TryCreate("redis://" + text.Split(',')[0], UriKind.Absolute, out var address)
                    && address.Host.Length > 0
                    && address.Port > 0
                    && address.PathAndQuery is "" or "/"
                    && address.UserInfo.Length == 0
                    && !text.Contains(' ', StringComparison.Ordinal) => new(StoreKind.Address, text),
            _ => throw new SystemOptionException($"--redis is '{text}'. Allowed: {Allowed}."),
        };
}
