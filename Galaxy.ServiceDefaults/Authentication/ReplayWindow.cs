namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>
/// Which of a sender's sequence numbers have come, as the anti-replay window of IPsec (RFC 4303, 3.4.3): the latest
/// 65,536 may come in any order, each once; what is older is taken for repeated. Thread-safe.
/// </summary>
internal sealed class ReplayWindow
{
    /// <summary>So many may be on their way at once; 8 KiB for each sender.</summary>
    public const int Length = 65_536;

    private readonly ulong[] _seen = new ulong[Length / 64];
    private readonly Lock _gate = new();
    private ulong _highest;

    /// <summary>Milliseconds on a monotonic clock; the search for idle senders reads it.</summary>
    public long LastUsed { get; set; }

    /// <summary>False: it has come before, or it is too old to know.</summary>
    public bool TryTake(ulong sequence)
    {
        lock (_gate)
        {
            if (sequence > _highest)
            {
                Forget(sequence);
                _highest = sequence;
            }
            else if (_highest - sequence >= Length)
            {
                return false;
            }
            var (word, bit) = ((int)(sequence % Length / 64), 1UL << (int)(sequence % 64));
            if ((_seen[word] & bit) != 0)
                return false;
            _seen[word] |= bit;
            return true;
        }
    }

    // The places of the numbers between the highest and the new one were those of older numbers.
    private void Forget(ulong upTo)
    {
        if (upTo - _highest >= Length)
        {
            Array.Clear(_seen);
            return;
        }
        for (var sequence = _highest + 1; sequence <= upTo; sequence++)
            _seen[sequence % Length / 64] &= ~(1UL << (int)(sequence % 64));
    }
}
