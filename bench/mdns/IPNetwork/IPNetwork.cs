namespace System.Net;

/// <summary>
/// Stands in for the type of IPNetwork2 2.1.2. Makaretu.Dns.Multicast 0.27.0 calls <see cref="Parse"/> in a type
/// initializer and nothing else; without the type its service cannot be constructed.
/// </summary>
public sealed class IPNetwork
{
    private IPNetwork(string text) => Text = text;

    /// <summary>The network in CIDR notation.</summary>
    public string Text { get; }

    /// <summary>Keeps the text; it is not checked.</summary>
    public static IPNetwork Parse(string network) => new(network);
}
