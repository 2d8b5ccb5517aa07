using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Core.Discovery.Trust;
using Galaxy.ServiceDefaults.Nodes;

namespace Galaxy.Discovery.Peers;

/// <summary>How far a received message is trusted, and why no further.</summary>
internal readonly record struct Verdict(PeerTrust Trust, string? Reason)
{
    public static Verdict Distrust(string reason) => new(PeerTrust.Untrusted, reason);
}

/// <summary>
/// Signs announcements and decides how far received ones are trusted. Without a key (development on loopback) all are
/// accepted, and marked as open. Thread-safe.
/// </summary>
internal sealed class Trust(NodeOptions node, TimeProvider time)
{
    private const int MostQuestions = 512;
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);

    private readonly byte[]? _key = node.ApiKey is { } key ? ApiKey.Derive(key, "announce") : null;

    // While the cluster's key is changed, signatures with the other one are trusted as well.
    private readonly byte[]? _other = node.OtherApiKey is { } other ? ApiKey.Derive(other, "announce") : null;
    private readonly Lock _gate = new();
    private readonly ReplayGuard _replays = new();
    private readonly Dictionary<string, long> _questions = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    public bool HasKey => _key is not null;

    private double UnixNow => time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    /// <summary>An announcement of now, with a nonce and a signature.</summary>
    public Announcement Make(Announcement announcement)
    {
        var made = announcement with { TimestampUnix = UnixNow, Nonce = NewNonce() };
        return _key is null ? made : made.Sign(_key);
    }

    public static string NewNonce() => RandomNumberGenerator.GetHexString(24, lowercase: true);

    /// <summary>A question with this nonce was sent just now.</summary>
    public void Asked(string nonce)
    {
        lock (_gate)
        {
            if (!_questions.TryAdd(nonce, time.GetTimestamp()))
                return;
            _order.Enqueue(nonce);
            if (_order.Count > MostQuestions)
                _questions.Remove(_order.Dequeue());
        }
    }

    /// <summary>
    /// The time since the question with this nonce, in ms; null when no such question was sent within the last 10 s.
    /// </summary>
    public double? RoundTrip(string nonce)
    {
        if (nonce.Length == 0)
            return null;
        lock (_gate)
            return
                _questions.TryGetValue(nonce, out var asked)
                && time.GetElapsedTime(asked) is var since
                && since < AnswerWithin
                ? since.TotalMilliseconds
                : null;
    }

    public Verdict Judge(Announcement announcement)
    {
        if (_key is null)
            return new Verdict(PeerTrust.Open, null);
        if (announcement.Signature.Length == 0)
            return Verdict.Distrust("unsigned");
        if (!announcement.IsSignedWith(_key) && !(_other is not null && announcement.IsSignedWith(_other)))
            return Verdict.Distrust("wrong key");
        lock (_gate)
        {
            return
                _replays.Refuse(
                    $"{announcement.Cluster}/{announcement.NodeId}",
                    announcement.Nonce,
                    announcement.TimestampUnix,
                    UnixNow,
                    RoundTrip(announcement.Answers) is not null
                )
                    is { } reason
                ? Verdict.Distrust(reason)
                : new Verdict(PeerTrust.Trusted, null);
        }
    }

    /// <summary>
    /// A signature over fields that others keep for long, as mDNS records are: the time of signing and the signature,
    /// or nothing without a key.
    /// </summary>
    public string SignFields(DateTimeOffset at, params string[] fields) =>
        _key is null ? "" : $"{at.ToUnixTimeSeconds()}.{Hash(_key, at.ToUnixTimeSeconds(), fields)}";

    /// <param name="life">How old such a signature may be.</param>
    public Verdict JudgeFields(string signature, TimeSpan life, params string[] fields)
    {
        if (_key is null)
            return new Verdict(PeerTrust.Open, null);
        if (signature.Length == 0)
            return Verdict.Distrust("unsigned");
        var dot = signature.IndexOf('.', StringComparison.Ordinal);
        if (
            dot < 0
            || !long.TryParse(signature.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            || !(
                IsHash(signature[(dot + 1)..], _key, at, fields)
                || (_other is not null && IsHash(signature[(dot + 1)..], _other, at, fields))
            )
        )
            return Verdict.Distrust("wrong key");
        return Math.Abs(UnixNow - at) <= life.TotalSeconds + 60
            ? new Verdict(PeerTrust.Trusted, null)
            : Verdict.Distrust("stale");
    }

    private static bool IsHash(string text, byte[] key, long at, string[] fields) =>
        CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(text),
            Encoding.UTF8.GetBytes(Hash(key, at, fields))
        );

    private static string Hash(byte[] key, long at, string[] fields) =>
        Convert.ToHexStringLower(
            HMACSHA256.HashData(
                key,
                Encoding.UTF8.GetBytes($"{at}\n" + string.Concat(fields.Select(field => $"{field.Length}:{field}\n")))
            )
        );
}
