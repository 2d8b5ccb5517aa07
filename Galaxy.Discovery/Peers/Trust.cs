using System.Security.Cryptography;
using System.Text;
using Galaxy.Core.Discovery;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Discovery.Peers;

/// <summary>Signs what is announced and judges what is heard. Without a key (development on loopback) everything is believed. Thread-safe.</summary>
internal sealed class Trust(NodeOptions node, TimeProvider time)
{
    private const int MaxNonces = 10_000;
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(60);

    private readonly byte[]? _key = node.ApiKey is { } key ? ApiKey.Derive(key, "announce") : null;
    private readonly Lock _gate = new();
    private readonly HashSet<string> _nonces = new(StringComparer.Ordinal);
    private readonly Queue<(string Nonce, DateTimeOffset At)> _order = new();

    public Announcement Sign(Announcement announcement) => _key is null ? announcement : announcement.Sign(_key);

    /// <summary>Null when the announcement can be believed; otherwise why not.</summary>
    public string? Judge(Announcement announcement)
    {
        if (_key is null)
            return null;
        if (announcement.Signature.Length == 0)
            return "unsigned";
        if (!announcement.IsSignedWith(_key))
            return "wrong key";
        var now = time.GetUtcNow();
        if (Math.Abs(now.ToUnixTimeMilliseconds() / 1000.0 - announcement.TimestampUnix) > Fresh.TotalSeconds)
            return "stale";
        return Remember(announcement.NodeId + "/" + announcement.Nonce, now) ? null : "replayed";
    }

    // A nonce is remembered as long as its announcement would count as fresh.
    private bool Remember(string nonce, DateTimeOffset now)
    {
        lock (_gate)
        {
            while (_order.TryPeek(out var oldest) && (now - oldest.At > Fresh * 2 || _order.Count > MaxNonces))
                _nonces.Remove(_order.Dequeue().Nonce);
            if (!_nonces.Add(nonce))
                return false;
            _order.Enqueue((nonce, now));
            return true;
        }
    }

    /// <summary>A signature over fields that do not change, for roads whose records are cached (mDNS, SSDP); empty without a key.</summary>
    public string SignFields(params string[] fields) =>
        _key is null ? "" : Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(string.Concat(fields.Select(field => $"{field.Length}:{field}\n")))));

    /// <summary>Null when the fields can be believed; otherwise why not.</summary>
    public string? JudgeFields(string signature, params string[] fields)
    {
        if (_key is null)
            return null;
        if (signature.Length == 0)
            return "unsigned";
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(signature), Encoding.UTF8.GetBytes(SignFields(fields))) ? null : "wrong key";
    }
}
