using Galaxy.Core.Discovery;
using Galaxy.Discovery.Peers;

namespace Galaxy.Discovery.Mdns;

/// <summary>The records of one local node on one interface.</summary>
internal static class MdnsRecords
{
    private const string Enumeration = "_services._dns-sd._udp.local.";

    // RFC 6762, section 10: 75 minutes for shared records, 2 minutes for those that name a host.
    private const uint SharedTtl = 4500;
    private const uint HostTtl = 120;

    /// <summary>Everything there is to say; with <paramref name="goodbye"/>, that it is no more.</summary>
    public static DnsMessage Announcement(LocalNode own, Link link, Trust trust, bool goodbye) => new()
    {
        IsResponse = true,
        Authoritative = true,
        Answers = [.. All(own, link, trust).Select(record => goodbye ? record with { Ttl = 0 } : record)],
    };

    /// <summary>The answer to a query, or null when it asks for nothing of ours or knows the answer.</summary>
    public static DnsMessage? Answer(DnsMessage query, LocalNode own, Link link, Trust trust)
    {
        var all = All(own, link, trust);
        var answers = new List<DnsRecord>();
        foreach (var question in query.Questions)
        {
            if (question.Name.Equals(Enumeration, StringComparison.OrdinalIgnoreCase) && question.Type is DnsType.Ptr or DnsType.Any)
                answers.Add(new DnsRecord(Enumeration, DnsType.Ptr, SharedTtl, ServiceTxt.ServiceType));
            answers.AddRange(all.Where(record => record.Name.Equals(question.Name, StringComparison.OrdinalIgnoreCase) && (question.Type == DnsType.Any || question.Type == record.Type)));
        }
        // Known-answer suppression, section 7.1: the asker has it with at least half its life left.
        answers.RemoveAll(answer => query.Answers.Any(known =>
            known.Type == answer.Type && known.Type == DnsType.Ptr && known.Name.Equals(answer.Name, StringComparison.OrdinalIgnoreCase)
            && Equals(known.Data, answer.Data) && known.Ttl >= answer.Ttl / 2));
        return answers.Count == 0
            ? null
            : new DnsMessage
            {
                IsResponse = true,
                Authoritative = true,
                Answers = [.. answers.Distinct()],
                // What the asker will want next, section 12 of RFC 6763.
                Additionals = [.. all.Where(record => record.Type != DnsType.Ptr && !answers.Contains(record))],
            };
    }

    private static List<DnsRecord> All(LocalNode own, Link link, Trust trust)
    {
        var instance = $"{own.NodeId.Replace(".", "\\.", StringComparison.Ordinal)}.{ServiceTxt.ServiceType}";
        var host = $"{own.NodeId.Replace('.', '-').Replace('_', '-')}.local.";
        var txt = ServiceTxt.Write(
        [
            new("node_id", own.NodeId), new("type", own.Role), new("cluster", own.Cluster), new("ver", own.Version), new("url", own.Url), new("grpc", own.GrpcUrl),
            new("sig", trust.SignFields(own.NodeId, own.Role, own.Cluster, own.Version, own.Url, own.GrpcUrl)),
        ]);
        return
        [
            new DnsRecord(ServiceTxt.ServiceType, DnsType.Ptr, SharedTtl, instance),
            new DnsRecord(instance, DnsType.Srv, HostTtl, new DnsSrv(0, 0, (ushort)own.Port, host), CacheFlush: true),
            new DnsRecord(instance, DnsType.Txt, SharedTtl, txt, CacheFlush: true),
            new DnsRecord(host, DnsType.A, HostTtl, link.Address, CacheFlush: true),
        ];
    }
}
