using System.Net;

namespace Galaxy.Core.Discovery.Mdns;

/// <summary>What the machine of a link wants done, or has found out.</summary>
public abstract record MdnsEffect
{
    /// <summary>A datagram. <paramref name="To"/> null: to the group.</summary>
    public sealed record Send(byte[] Packet, IPEndPoint? To) : MdnsEffect;

    /// <summary>Another host uses this name.</summary>
    public sealed record Conflict(string Name) : MdnsEffect;

    /// <summary>An instance is known in full, is still there, or has changed.</summary>
    public sealed record Found(MdnsInstance Instance) : MdnsEffect;

    /// <summary>An instance said goodbye or was not heard of for its records' lives.</summary>
    public sealed record Gone(string FullName) : MdnsEffect;
}

/// <summary>A service that was found on a link.</summary>
/// <param name="FullName">With escapes, as in <see cref="DnsRecord.Name"/>.</param>
/// <param name="Txt">The first value of each key; keys are case-insensitive.</param>
/// <param name="Addresses">Of its host; may be empty when only the other family was announced.</param>
/// <param name="Until">When it is forgotten unless it is heard of again.</param>
public sealed record MdnsInstance(
    string FullName,
    DnsSrv Srv,
    IReadOnlyDictionary<string, string> Txt,
    IReadOnlyList<IPAddress> Addresses,
    TimeSpan Until
)
{
    /// <summary>The instance's own label, without escapes.</summary>
    public string Label => MdnsService.FirstLabel(FullName);
}
