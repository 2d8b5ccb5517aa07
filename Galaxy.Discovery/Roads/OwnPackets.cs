using System.IO.Hashing;

namespace Galaxy.Discovery.Roads;

/// <summary>
/// What this process sent a moment ago: it comes back by multicast, on this link or on another one of the same network,
/// and must be ignored. Packets of another process of this machine differ in their content. Not thread-safe.
/// </summary>
internal sealed class OwnPackets
{
    private const int Remembered = 512;
    private readonly Queue<ulong> _order = new();
    private readonly HashSet<ulong> _hashes = [];

    public void Sent(ReadOnlySpan<byte> packet)
    {
        var hash = XxHash3.HashToUInt64(packet);
        if (!_hashes.Add(hash))
            return;
        _order.Enqueue(hash);
        if (_order.Count > Remembered)
            _hashes.Remove(_order.Dequeue());
    }

    public bool Contains(ReadOnlySpan<byte> packet) => _hashes.Contains(XxHash3.HashToUInt64(packet));
}
