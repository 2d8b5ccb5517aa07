using System.Net;
using Galaxy.Core.Discovery;
using Galaxy.Discovery.Peers;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Discovery.Mdns;

/// <summary>Responder and browser for <c>_ufo-galaxy._tcp.local.</c> (RFC 6762, RFC 6763) over IPv4.</summary>
internal sealed class MdnsRoad(NodeOptions node, LocalNodes local, PeerTable peers, Trust trust, TimeProvider time, ILogger<MdnsRoad> log)
    : Road("mdns", node.MdnsEnabled, MdnsPort, GroupAddress, time, log)
{
    public static readonly IPAddress GroupAddress = IPAddress.Parse("224.0.0.251");
    private const int MdnsPort = 5353;

    // Seen records wait here until SRV, TXT and address of an instance are together. Bounded: an instance is small and few fit.
    private const int MaxInstances = 1000;
    private readonly Dictionary<string, Partial> _partial = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _gate = new();

    private sealed record Partial(DnsSrv? Srv, IReadOnlyDictionary<string, string>? Txt);

    protected override TimeSpan Every => TimeSpan.FromSeconds(30);

    protected override async Task SpeakAsync(Link link, CancellationToken cancellation)
    {
        var everybody = new IPEndPoint(Group, Port);
        await SendAsync(link, DnsWriter.Write(new DnsMessage { Questions = [new DnsQuestion(ServiceTxt.ServiceType, DnsType.Ptr)] }), everybody);
        foreach (var own in local.Current)
            await SendAsync(link, DnsWriter.Write(MdnsRecords.Announcement(own, link, trust, goodbye: false)), everybody);
    }

    protected override async Task LeaveAsync(Link link)
    {
        foreach (var own in local.Current)
            await SendAsync(link, DnsWriter.Write(MdnsRecords.Announcement(own, link, trust, goodbye: true)), new IPEndPoint(Group, Port));
    }

    protected override async Task HearAsync(ReadOnlyMemory<byte> packet, IPEndPoint from, Link link, CancellationToken cancellation)
    {
        if (!link.Contains(from.Address))
        {
            Status.Reject("not from this link");
            return;
        }
        if (!DnsReader.TryParse(packet.Span, out var message))
        {
            Status.Reject("malformed");
            return;
        }
        if (message.IsResponse)
            Learn(message, from.Address);
        else
            await AnswerAsync(message, from, link);
    }

    private async Task AnswerAsync(DnsMessage query, IPEndPoint from, Link link)
    {
        // Whoever asks from another port is a simple resolver: it gets its answer by unicast, with its id and question (section 6.7).
        var legacy = from.Port != MdnsPort;
        foreach (var own in local.Current)
        {
            if (MdnsRecords.Answer(query, own, link, trust) is not { } answer)
                continue;
            var unicast = legacy || query.Questions.All(question => question.Unicast);
            if (legacy)
                answer = answer with { Id = query.Id, Questions = query.Questions };
            await SendAsync(link, DnsWriter.Write(answer), unicast ? from : new IPEndPoint(Group, Port));
        }
    }

    private void Learn(DnsMessage message, IPAddress from)
    {
        foreach (var record in message.AllRecords)
        {
            if (record is { Type: DnsType.Ptr, Ttl: 0, Data: string gone } && IsService(record.Name))
                peers.Goodbye(Instance(gone), "mdns");
            else if (record.Name.EndsWith("." + ServiceTxt.ServiceType, StringComparison.OrdinalIgnoreCase) && record.Ttl > 0)
                Collect(record);
        }
        lock (_gate)
        {
            foreach (var (name, found) in _partial.Where(pair => pair.Value is { Srv: not null, Txt: not null }).ToList())
            {
                _partial.Remove(name);
                See(Instance(name), found.Srv!, found.Txt!, from);
            }
        }
    }

    private void Collect(DnsRecord record)
    {
        lock (_gate)
        {
            if (_partial.Count >= MaxInstances)
                _partial.Clear();
            var known = _partial.GetValueOrDefault(record.Name) ?? new Partial(null, null);
            if (record.Data is DnsSrv srv)
                _partial[record.Name] = known with { Srv = srv };
            else if (record.Data is IReadOnlyList<byte[]> texts)
                _partial[record.Name] = known with { Txt = ServiceTxt.Read(texts) };
        }
    }

    private void See(string instance, DnsSrv srv, IReadOnlyDictionary<string, string> txt, IPAddress from)
    {
        var nodeId = txt.GetValueOrDefault("node_id", instance);
        if (nodeId.Length is 0 or > 128 || local.Contains(nodeId))
            return;
        var (role, cluster, version) = (txt.GetValueOrDefault("type", ""), txt.GetValueOrDefault("cluster", ""), txt.GetValueOrDefault("ver", ""));
        var (url, grpc) = (txt.GetValueOrDefault("url", $"http://{from}:{srv.Port}"), txt.GetValueOrDefault("grpc", ""));
        var distrust = trust.JudgeFields(txt.GetValueOrDefault("sig", ""), nodeId, role, cluster, version, url, grpc);
        if (distrust is not null)
            Status.Reject(distrust);
        peers.See(new Sighting("mdns", nodeId, role, cluster, url, grpc, from, distrust is null, distrust));
    }

    private static bool IsService(string name) => name.Equals(ServiceTxt.ServiceType, StringComparison.OrdinalIgnoreCase);

    private static string Instance(string name) =>
        name.EndsWith("." + ServiceTxt.ServiceType, StringComparison.OrdinalIgnoreCase) ? name[..^(ServiceTxt.ServiceType.Length + 1)].Replace("\\", "", StringComparison.Ordinal) : name;
}
