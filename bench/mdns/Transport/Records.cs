using System.Net;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Mdns;

namespace Galaxy.Bench.Mdns.Transport;

/// <summary>Messages that the witness sends, and what it looks for in those that it hears.</summary>
internal static class Records
{
    public const string Service = ServiceTxt.ServiceType;

    public static DnsMessage Question(string name, DnsType type, bool unicast = false) =>
        new() { Questions = [new(name, type, unicast)] };

    public static string FullName(string instance) => $"{instance}.{Service}";

    public static DnsRecord Pointer(string instance, uint ttl = 4500) =>
        new(Service, DnsType.Ptr, ttl, FullName(instance));

    /// <summary>A node's records, with one TTL for those that name a host.</summary>
    public static DnsMessage Announcement(string instance, IPAddress address, uint ttl) =>
        new()
        {
            IsResponse = true,
            Authoritative = true,
            Answers =
            [
                Pointer(instance, ttl == 0 ? 0u : 4500u),
                new(
                    FullName(instance),
                    DnsType.Srv,
                    ttl,
                    new DnsSrv(0, 0, 8071, $"{instance}.local."),
                    CacheFlush: true
                ),
                new(
                    FullName(instance),
                    DnsType.Txt,
                    ttl,
                    ServiceTxt.Write([new("node_id", instance), new("cluster", "lab")]),
                    CacheFlush: true
                ),
                new($"{instance}.local.", DnsType.A, ttl, address, CacheFlush: true),
            ],
        };

    /// <summary>Somebody else's claim of an instance's name: a record that wins a tie.</summary>
    public static DnsRecord Rival(string instance) =>
        new(FullName(instance), DnsType.Srv, 120, new DnsSrv(0xFFFF, 0xFFFF, 0xFFFF, "zzzz.local."));

    public static bool IsNamed(string name, string other) => RecordKey.Lower(name) == RecordKey.Lower(other);

    /// <summary>A probe for an instance (RFC 6762, section 8.1).</summary>
    public static bool IsProbe(DnsMessage message, string instance) =>
        !message.IsResponse
        && message.Authorities.Count > 0
        && message.Questions.Any(question =>
            question.Type == DnsType.Any && IsNamed(question.Name, FullName(instance))
        );

    /// <summary>A response that names an instance.</summary>
    public static bool Points(DnsMessage message, string instance) =>
        message.IsResponse
        && message
            .Answers.Concat(message.Additionals)
            .Any(record => record is { Type: DnsType.Ptr, Data: string target } && IsNamed(target, FullName(instance)));
}
