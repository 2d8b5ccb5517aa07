using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Galaxy.Discovery.Roads;

/// <summary>What a discovery source has done since the service started. Thread-safe.</summary>
internal sealed class RoadStatus(string road, bool enabled)
{
    /// <summary>The reasons come from this code, but their number is bounded all the same.</summary>
    private const int MostReasons = 64;

    private static readonly Meter Meter = new("Galaxy.Discovery");
    private static readonly Counter<long> SentCounter = Meter.CreateCounter<long>(
        "galaxy.discovery.sent",
        "{packet}",
        "Packets sent"
    );
    private static readonly Counter<long> ReceivedCounter = Meter.CreateCounter<long>(
        "galaxy.discovery.received",
        "{packet}",
        "Packets received"
    );
    private static readonly Counter<long> RejectedCounter = Meter.CreateCounter<long>(
        "galaxy.discovery.rejected",
        "{packet}",
        "Packets not believed or not answered, by reason"
    );

    private readonly ConcurrentDictionary<string, long> _rejected = new(StringComparer.Ordinal);
    private long _sent;
    private long _received;

    public string Road { get; } = road;

    public bool Enabled { get; } = enabled;

    /// <summary>Open sockets or connections.</summary>
    public int Sockets { get; set; }

    /// <summary>The interfaces in use, one for each address family.</summary>
    public IReadOnlyList<string> Links { get; set; } = [];

    /// <summary>The last error of the discovery source itself; null: there is none.</summary>
    public string? Problem { get; set; }

    public long Sent => Interlocked.Read(ref _sent);

    public long Received => Interlocked.Read(ref _received);

    /// <summary>How many packets were not trusted or not answered, by reason.</summary>
    public IReadOnlyDictionary<string, long> Rejected => _rejected;

    public void CountSent()
    {
        Interlocked.Increment(ref _sent);
        SentCounter.Add(1, new KeyValuePair<string, object?>("road", Road));
    }

    public void CountReceived()
    {
        Interlocked.Increment(ref _received);
        ReceivedCounter.Add(1, new KeyValuePair<string, object?>("road", Road));
    }

    public void Reject(string reason)
    {
        if (_rejected.Count >= MostReasons && !_rejected.ContainsKey(reason))
            reason = "other";
        _rejected.AddOrUpdate(reason, 1, (_, count) => count + 1);
        RejectedCounter.Add(
            1,
            new KeyValuePair<string, object?>("road", Road),
            new KeyValuePair<string, object?>("reason", reason)
        );
    }
}

/// <summary>A discovery source: a way in which nodes are found.</summary>
internal interface IRoad
{
    RoadStatus Status { get; }

    /// <summary>Asks all nodes now.</summary>
    void ScanNow();
}
