using System.Net.Sockets;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.Election;
using Galaxy.Core.Membership;
using Galaxy.ServiceDefaults.Hosting;
using Wire = Galaxy.Contracts.Gossip;

namespace Galaxy.Coordinator.Gossip;

/// <summary>
/// Runs <see cref="Swim"/> against real peers and the clock: probes, answers, and finds out how a silent one is silent.
/// </summary>
internal sealed partial class FailureDetector(
    Membership membership,
    ReplicatedState replica,
    PeerStreams streams,
    PeerExchange exchange,
    PeerTraffic traffic,
    AntiEntropy antiEntropy,
    Elector elector,
    FailoverTracker failovers,
    TimeProvider time,
    ILogger<FailureDetector> log
) : BackgroundService
{
    private static readonly TimeSpan KnockPatience = TimeSpan.FromMilliseconds(250);

    private readonly Alarm _alarm = new(time);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        // A loop that is started again has subscribed already.
        if (ExecuteTask is null)
        {
            streams.Heard += Hear;
            // A leader that hangs is found to hang before its lease runs out, so that the record says why it was
            // replaced.
            elector.LeaseLate += lease => Perform(membership.Detect((swim, now) => swim.ProbeNow(lease.Holder, now)));
        }
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await _alarm.WaitAsync(membership.NextTurn - membership.Now, stoppingToken);
                Perform(membership.Detect((swim, now) => swim.Tick(now)));
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(failure);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Hear(PeerStream stream, Wire.Frame frame)
    {
        var cost = traffic.Of(stream.Peer);
        cost.Add(0, frame.CalculateSize());
        if (frame.Kind == Wire.Frame.Types.Kind.Ack)
            cost.Answered(time.GetUtcNow(), frame.ClockUnixMs);
        elector.Post(new ElectionInput.TokenSeen(frame.MaxToken));
        if (frame.FromWire() is { } message)
            Perform(membership.Detect((swim, now) => swim.Receive(stream.Peer, message, now)));
        antiEntropy.Observe(stream, frame.Fingerprint);
        _alarm.Ring();
    }

    private void Perform(IReadOnlyList<SwimEffect> effects)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case SwimEffect.Send send:
                    Send(send.To, send.Message);
                    break;
                case SwimEffect.Answered answered:
                    if (membership.Members.Find(answered.NodeId) is { } alive)
                        failovers.PeerAnswered(alive.NodeId, alive.Boot);
                    break;
                case SwimEffect.Silent silent when membership.Members.Find(silent.NodeId) is { } peer:
                    _ = ExamineAsync(peer);
                    break;
            }
        }
    }

    private void Send(string to, SwimMessage message)
    {
        var peer = membership.Members.Find(to);
        if (peer is not null && streams.IsDeaf(peer))
        {
            if (message is SwimMessage.Ping)
                _ = ProbeDeafAsync(peer, message.Number);
            return;
        }
        var frame = message.ToWire();
        frame.Fingerprint = replica.FingerprintWith(membership.Members);
        frame.MaxToken = elector.MaxToken;
        if (message is SwimMessage.Ack)
            frame.ClockUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        var cost = traffic.Of(to);
        cost.Add(frame.CalculateSize(), 0);
        if (message is SwimMessage.Ping)
            cost.Asked(time.GetUtcNow());
        streams.Send(to, peer, frame);
    }

    // A peer of an earlier version proves its life by an exchange.
    private async Task ProbeDeafAsync(Member peer, ulong number)
    {
        if (await exchange.WithAsync(peer.GrpcUrl, wait: false, CancellationToken.None) is null)
            Perform(membership.Detect((swim, now) => swim.Receive(peer.NodeId, new SwimMessage.Ack(number, []), now)));
    }

    private async Task ExamineAsync(Member peer)
    {
        var silence = await KnockAsync(peer.GrpcUrl);
        failovers.PeerFailed(
            peer.NodeId,
            silence,
            silence switch
            {
                PeerSilence.Refused => $"{peer.NodeId} refuses connections at {peer.GrpcUrl}",
                PeerSilence.Hangs => $"{peer.NodeId} takes connections at {peer.GrpcUrl} and does not answer",
                _ => $"{peer.NodeId} cannot be reached at {peer.GrpcUrl}",
            }
        );
        // Perhaps only the connection is dead.
        streams.Drop(peer);
    }

    private async Task<PeerSilence> KnockAsync(string grpcUrl)
    {
        if (!Uri.TryCreate(grpcUrl, UriKind.Absolute, out var address))
            return PeerSilence.Unreachable;
        using var patience = new CancellationTokenSource(KnockPatience, time);
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address.Host, address.Port, patience.Token);
            return PeerSilence.Hangs;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            // The peer's machine answers that no process listens on the port: the peer's process has ended.
            return PeerSilence.Refused;
        }
        catch (Exception silent) when (silent is SocketException or OperationCanceledException)
        {
            return PeerSilence.Unreachable;
        }
    }

    public override void Dispose()
    {
        _alarm.Dispose();
        base.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The failure detector goes on after an error")]
    private partial void LogFailed(Exception failure);
}
