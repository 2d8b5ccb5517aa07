using System.IO.Hashing;
using System.Net;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Discovery.Links;
using Galaxy.Discovery.Peers;
using Galaxy.Discovery.Roads;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Discovery.Announce;

/// <summary>
/// The UDP announcement: asks on port 37021 every 10 s, by multicast and by each link's broadcast address, and answers
/// the questions of other nodes. An answer repeats the question's nonce, so that it cannot be older than the question.
/// </summary>
internal sealed class AnnounceRoad(
    NodeOptions node,
    Receiver receiver,
    LinkWatcher links,
    LocalNodes local,
    PeerTable peers,
    Trust trust,
    TimeProvider time,
    ILogger<AnnounceRoad> log
)
    : MulticastRoad(
        "udp",
        node.BroadcastEnabled,
        new MulticastGroup(IPAddress.Parse("239.255.255.250"), IPAddress.Parse("ff02::c"), node.BroadcastPort, Ttl: 4),
        asksFromOwnPort: true,
        receiver,
        links,
        local,
        peers,
        time,
        log
    )
{
    private const int QuickRounds = 3;
    private const int MostQuestions = 1024;
    private const int MostAnswers = 1024;

    /// <summary>With fewer other nodes than this, answers are not spread out.</summary>
    private const int AnswerAtOnce = 32;
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan InformedForEach = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LaterForEach = TimeSpan.FromMilliseconds(1.5);
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Twice = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ChallengeEvery = TimeSpan.FromSeconds(5);

    // Nodes that are asked because what they said was signed but not fresh: their clock may be wrong.
    private readonly Dictionary<string, TimeSpan> _challenged = new(StringComparer.Ordinal);

    // The same question comes by multicast and by broadcast.
    private readonly Dictionary<ulong, TimeSpan> _heard = [];
    private readonly Queue<ulong> _heardOrder = new();
    private readonly Dictionary<int, IReadOnlyList<LocalNode>> _published = [];
    private readonly PriorityQueue<(Announcement Question, Packet Packet), TimeSpan> _answers = new();
    private readonly Askers _askers = new();
    private readonly Random _random = new();
    private TimeSpan _next;
    private int _quick = QuickRounds;

    protected override TimeSpan NextTurn => _answers.TryPeek(out _, out var due) && due < _next ? due : _next;

    protected override void Publish(Link link, IReadOnlyList<LocalNode> nodes, bool linkIsNew)
    {
        if (_published.TryGetValue(link.Id, out var before))
        {
            foreach (var gone in before.Where(old => nodes.All(own => own.NodeId != old.NodeId)))
                Say(link, Leaving(gone));
        }
        if (linkIsNew || before is null || !before.SequenceEqual(nodes))
            (_next, _quick) = (Now, QuickRounds);
        _published[link.Id] = nodes;
    }

    protected override void Forget(Link link) => _published.Remove(link.Id);

    protected override void Scan() => (_next, _quick) = (Now, QuickRounds);

    protected override void Turn()
    {
        while (_answers.TryPeek(out _, out var due) && due <= Now)
        {
            var (question, packet) = _answers.Dequeue();
            Answer(question, packet);
        }
        if (_next <= Now)
            Ask();
    }

    private void Ask()
    {
        foreach (var link in OpenLinks.ToList())
        {
            foreach (var question in Questions(link))
                Say(link, question);
        }
        _next = Now + (--_quick > 0 ? Quick : Every);
        foreach (
            var old in _challenged.Where(pair => Now - pair.Value > ChallengeEvery).Select(pair => pair.Key).ToList()
        )
            _challenged.Remove(old);
    }

    protected override void Leave()
    {
        foreach (var link in OpenLinks.ToList())
        {
            foreach (var own in Local.On(link))
                Say(link, Leaving(own));
        }
    }

    protected override void Hear(Packet packet)
    {
        if (!IsNews(packet))
            return;
        if (!Announcement.TryParse(packet.Bytes.Span, out var heard))
        {
            Status.Reject(packet.Bytes.Length > Announcement.MaxBytes ? "oversized" : "malformed");
            return;
        }
        if (Local.Contains(heard.Cluster, heard.NodeId))
            return;
        var verdict = trust.Judge(heard);
        if (verdict.Reason is { } reason)
            Status.Reject(reason);
        if (verdict.Reason is "stale" or "replayed")
            Challenge(heard, packet);
        // A repeated announcement does not prove that the node is alive now; its first sender is in the table already.
        if (verdict.Reason != "replayed")
            Note(heard, verdict, packet.From.Address);
        if (heard.Kind == AnnouncementKind.Discover && verdict.Reason != "replayed")
            Plan(heard, verdict, packet);
    }

    private void Note(Announcement heard, Verdict verdict, IPAddress from)
    {
        // Workers and other services ask for coordinators, but are no coordinators themselves.
        if (heard.Role is "worker" or "discovery")
            return;
        if (heard.Leaving)
        {
            Peers.Goodbye(heard.Cluster, heard.NodeId, "udp", signed: verdict.Trust == PeerTrust.Trusted);
            return;
        }
        Peers.See(
            NodeAnnouncement.Seen("udp", heard, verdict) with
            {
                Address = from,
                RttMs = trust.RoundTrip(heard.Answers),
            }
        );
    }

    private void Plan(Announcement heard, Verdict verdict, Packet packet)
    {
        // An answer is larger than a question: untrusted senders outside this link get none.
        if (verdict.Trust == PeerTrust.Untrusted && !packet.Link.Contains(packet.From.Address))
        {
            Status.Reject("not from this subnet");
            return;
        }
        // A thousand nodes that answer in the same moment would overload the node that asked.
        var others = Peers.Count;
        if (
            verdict.Trust == PeerTrust.Trusted
            && _askers.IsInformed(
                $"{heard.Cluster}/{heard.NodeId}",
                others < AnswerAtOnce ? TimeSpan.Zero : others * InformedForEach,
                Now
            )
        )
            return;
        if (others < AnswerAtOnce)
            Answer(heard, packet);
        else if (_answers.Count < MostAnswers)
            _answers.Enqueue((heard, packet), Slot(Now + (others * LaterForEach * _random.NextDouble())));
        else
            Status.Reject("too many questions");
    }

    // Answers that are due within the same moment are sent together: each waking costs more than a packet.
    private static TimeSpan Slot(TimeSpan due) => new((due.Ticks / Together.Ticks + 1) * Together.Ticks);

    private void Answer(Announcement heard, Packet packet)
    {
        foreach (var own in Local.On(packet.Link))
        {
            var answer = trust.Make(NodeAnnouncement.Of(own, AnnouncementKind.Response, re: heard.Nonce)).ToBytes();
            Send(packet.Link, answer, packet.From);
            if (packet.From.Port != node.BroadcastPort)
                Send(packet.Link, answer, new IPEndPoint(packet.From.Address, node.BroadcastPort));
        }
    }

    // Its answer proves that it is there now, and tells its clock.
    private void Challenge(Announcement heard, Packet packet)
    {
        if (heard.Kind == AnnouncementKind.Response && heard.Answers.Length > 0 && heard.Leaving)
            return;
        if (_challenged.Count >= MostQuestions || !_challenged.TryAdd($"{heard.Cluster}/{heard.NodeId}", Now))
            return;
        foreach (var question in Questions(packet.Link).Take(1))
            Send(packet.Link, question, new IPEndPoint(packet.From.Address, node.BroadcastPort), question: true);
    }

    private void Say(Link link, byte[] packet)
    {
        Send(link, packet, null, question: true);
        foreach (var broadcast in link.Broadcasts)
            Send(link, packet, new IPEndPoint(broadcast, node.BroadcastPort), question: true);
    }

    // A question names its sender: one for each local node, or one in the name of this service when there is none yet.
    private IEnumerable<byte[]> Questions(Link link)
    {
        var own = Local.On(link);
        var questions =
            own.Count > 0
                ? own.Select(local => trust.Make(NodeAnnouncement.Of(local, AnnouncementKind.Discover)))
                :
                [
                    trust.Make(
                        new Announcement(AnnouncementKind.Discover, node.NodeId, 0)
                        {
                            Role = "discovery",
                            Cluster = node.Cluster,
                        }
                    ),
                ];
        foreach (var question in questions)
        {
            trust.Asked(question.Nonce);
            yield return question.ToBytes();
        }
    }

    private byte[] Leaving(LocalNode own) =>
        trust.Make(NodeAnnouncement.Of(own, AnnouncementKind.Response, leaving: true)).ToBytes();

    private bool IsNews(Packet packet)
    {
        var hash = XxHash3.HashToUInt64(packet.Bytes.Span, packet.From.GetHashCode());
        if (_heard.TryGetValue(hash, out var before))
        {
            _heard[hash] = Now;
            return Now - before > Twice;
        }
        _heard[hash] = Now;
        _heardOrder.Enqueue(hash);
        if (_heardOrder.Count > MostQuestions)
            _heard.Remove(_heardOrder.Dequeue());
        return true;
    }
}
