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

/// <param name="Address">The <c>host:port[,option=…]</c> of a Redis that runs already; null for all other kinds.</param>
public sealed record StoreChoice(StoreKind Kind, string? Address = null)
{
    internal const string Allowed = "embedded, server, container, or the host:port of a Redis that runs";

    /// <exception cref="SystemOptionException">The text is none of them.</exception>
    public static StoreChoice Parse(string text) => text switch
    {
        "embedded" => new(StoreKind.Embedded),
        "server" => new(StoreKind.Server),
        "container" => new(StoreKind.Container),
        _ when text.Split(',')[0].Split(':') is [{ Length: > 0 }, var port] && ushort.TryParse(port, out var number) && number > 0
            => new(StoreKind.Address, text),
        _ => throw new SystemOptionException($"--redis is '{text}'. Allowed: {Allowed}."),
    };
}
