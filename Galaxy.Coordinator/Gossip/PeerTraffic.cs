using System.Collections.Concurrent;

namespace Galaxy.Coordinator.Gossip;

/// <summary>What gossip costs, by peer. Thread-safe.</summary>
internal sealed class PeerTraffic
{
    private readonly ConcurrentDictionary<string, Traffic> _peers = new(StringComparer.Ordinal);

    public Traffic Of(string nodeId) => _peers.GetOrAdd(nodeId, _ => new Traffic());

    /// <summary>Counts to and from one peer.</summary>
    internal sealed class Traffic
    {
        private long _sent;
        private long _received;
        private DateTimeOffset? _askedAt;

        public long Sent => Interlocked.Read(ref _sent);

        public long Received => Interlocked.Read(ref _received);

        /// <summary>Of the last exchange that this node began.</summary>
        public double? RttMs { get; private set; }

        /// <summary>The peer's clock minus ours.</summary>
        public double? ClockOffsetMs { get; private set; }

        public void Add(int sent, int received)
        {
            Interlocked.Add(ref _sent, sent);
            Interlocked.Add(ref _received, received);
        }

        /// <summary>A question goes out, to which the next answer belongs.</summary>
        public void Asked(DateTimeOffset at) => _askedAt = at;

        /// <summary>An answer came.</summary>
        /// <param name="peerClockMs">What its clock said when it answered; 0: an older peer, which does not
        /// say.</param>
        public void Answered(DateTimeOffset at, long peerClockMs)
        {
            if (_askedAt is not { } askedAt)
                return;
            _askedAt = null;
            var took = at - askedAt;
            RttMs = took.TotalMilliseconds;
            ClockOffsetMs =
                peerClockMs == 0
                    ? null
                    : peerClockMs - (askedAt.ToUnixTimeMilliseconds() + (took.TotalMilliseconds / 2));
        }
    }
}
