namespace Galaxy.Core.Discovery;

/// <summary>Record types that service discovery uses (RFC 1035, 2782, 3596, 4034).</summary>
public enum DnsType : ushort
{
    A = 1,
    Ptr = 12,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
    Nsec = 47,
    Any = 255,
}

/// <summary>A question. <paramref name="Unicast"/> is mDNS's QU bit (RFC 6762, section 5.4).</summary>
public sealed record DnsQuestion(string Name, DnsType Type, bool Unicast = false);

/// <summary>
/// A record. <paramref name="Data"/> is a <see cref="string"/> for PTR, <see cref="DnsSrv"/>, a list of byte strings
/// for TXT, an <see cref="System.Net.IPAddress"/> for A and AAAA, a list of types for NSEC, and raw bytes for anything
/// else.
/// </summary>
/// <param name="Ttl">Seconds; 0 says goodbye (RFC 6762, section 10.1).</param>
/// <param name="CacheFlush">mDNS's cache-flush bit (RFC 6762, section 10.2).</param>
public sealed record DnsRecord(string Name, DnsType Type, uint Ttl, object Data, bool CacheFlush = false);

/// <summary>RFC 2782.</summary>
public sealed record DnsSrv(ushort Priority, ushort Weight, ushort Port, string Target);

/// <summary>A DNS message as multicast DNS uses it.</summary>
public sealed record DnsMessage
{
    public ushort Id { get; init; }
    public bool IsResponse { get; init; }
    public bool Authoritative { get; init; }
    public bool Truncated { get; init; }

    /// <summary>0 is a standard query; multicast DNS ignores everything else (RFC 6762, section 18.3).</summary>
    public byte Opcode { get; init; }

    /// <summary>
    /// 0: no error, 3: no such name; multicast DNS ignores everything but 0 (RFC 6762, section 18.11).
    /// </summary>
    public byte ResponseCode { get; init; }

    /// <summary>Asks a unicast resolver to look further (RFC 1035, section 4.1.1); 0 in multicast DNS.</summary>
    public bool RecursionDesired { get; init; }

    public IReadOnlyList<DnsQuestion> Questions { get; init; } = [];
    public IReadOnlyList<DnsRecord> Answers { get; init; } = [];
    public IReadOnlyList<DnsRecord> Authorities { get; init; } = [];
    public IReadOnlyList<DnsRecord> Additionals { get; init; } = [];

    public IEnumerable<DnsRecord> AllRecords => Answers.Concat(Authorities).Concat(Additionals);
}
