using System.Buffers.Binary;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Http;

namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>Why a service token was refused.</summary>
public enum TokenFault
{
    None,

    /// <summary>
    /// It was not made with this cluster's key, or for another method or path, or was changed on its way.
    /// </summary>
    Forged,

    /// <summary>
    /// It is older than <see cref="ServiceTokens.Lifetime"/>, or the clocks differ by more than that.
    /// </summary>
    Expired,

    /// <summary>It has been shown here before.</summary>
    Replayed,
}

/// <summary>
/// What services show each other instead of the cluster's key: <c>gxs.{payload}.{HMAC-SHA256}</c> in Base64url, signed
/// by a key derived from the shared one. Each token is for one call (method and path), in the name of a caller with a
/// role, and is accepted once. So a process that listens, or poses as a coordinator, learns nothing that gives access
/// to another endpoint. Thread-safe.
/// </summary>
public sealed class ServiceTokens : IDisposable
{
    public const string Prefix = "gxs.";

    /// <summary>
    /// Clocks of machines may differ by this much; a receiver that restarts has forgotten what it saw, for this long.
    /// </summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private const byte Version = 1;

    // version, role, time, sender, sequence; then the name.
    private const int HeadLength = 2 + 8 + 8 + 8;
    private const int MostName = 128;
    private const int MacLength = 32;
    private const int MostSenders = 4096;

    private readonly byte[]? _key;

    // One for each thread: that the key is expanded once is half of the time.
    private readonly ThreadLocal<IncrementalHash>? _mac;

    // While the cluster's key is changed: of the other one.
    private readonly ThreadLocal<IncrementalHash>? _otherMac;
    private readonly TimeProvider _time;
    private readonly ulong _sender = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8));
    private readonly ConcurrentDictionary<ulong, ReplayWindow> _windows = new();
    private ulong _sequence;

    public ServiceTokens(NodeOptions node, TimeProvider time)
    {
        (_key, _time) = (node.ApiKey is { } key ? ApiKey.Derive(key, "service-token") : null, time);
        _mac = _key is null
            ? null
            : new ThreadLocal<IncrementalHash>(() => IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key));
        _otherMac = node.OtherApiKey is { } other
            ? new ThreadLocal<IncrementalHash>(() =>
                IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, ApiKey.Derive(other, "service-token"))
            )
            : null;
        NodeId = node.NodeId;
    }

    /// <summary>The name in which this process acts for itself.</summary>
    public string NodeId { get; }

    /// <summary>False: there is no key, and services do not require one.</summary>
    [MemberNotNullWhen(true, nameof(_key), nameof(_mac))]
    public bool IsNeeded => _key is not null;

    /// <summary>A token for one call.</summary>
    /// <param name="path">Decoded, without the query, as <see cref="HttpRequest.Path"/> of the receiver.</param>
    /// <exception cref="InvalidOperationException">There is no key.</exception>
    public string Mint(string name, AccessRole role, string method, string path)
    {
        if (!IsNeeded)
            throw new InvalidOperationException("Without a key there are no tokens.");
        Span<byte> bytes = stackalloc byte[HeadLength + MostName + MacLength];
        bytes[0] = Version;
        bytes[1] = (byte)role;
        BinaryPrimitives.WriteInt64LittleEndian(bytes[2..], _time.GetUtcNow().ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[10..], _sender);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[18..], Interlocked.Increment(ref _sequence));
        Encoding.UTF8.TryGetBytes(name, bytes.Slice(HeadLength, MostName), out var named);
        var length = HeadLength + named;
        Authenticate(_mac.Value!, bytes[..length], method, path, bytes.Slice(length, MacLength));
        return string.Concat(
            Prefix,
            Base64Url.EncodeToString(bytes[..length]),
            ".",
            Base64Url.EncodeToString(bytes.Slice(length, MacLength))
        );
    }

    /// <summary>Signs a request in this node's own name, or in the name of the caller that asked for it.</summary>
    public void Sign(HttpRequestMessage request, AccessRole role = AccessRole.Admin, string? name = null)
    {
        if (_key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Bearer",
                Mint(
                    name ?? NodeId,
                    role,
                    request.Method.Method,
                    PathString.FromUriComponent(request.RequestUri!).Value ?? "/"
                )
            );
    }

    /// <summary>Identifies the sender of a token; each token is accepted once.</summary>
    public TokenFault Take(ReadOnlySpan<char> token, string method, string path, out string name, out AccessRole role)
    {
        (name, role) = ("", AccessRole.Member);
        Span<byte> bytes = stackalloc byte[HeadLength + MostName];
        Span<byte> mac = stackalloc byte[MacLength];
        Span<byte> expected = stackalloc byte[MacLength];
        if (!IsNeeded || !TrySplit(token, bytes, mac, out var length))
            return TokenFault.Forged;
        Authenticate(_mac.Value!, bytes[..length], method, path, expected);
        var genuine = CryptographicOperations.FixedTimeEquals(mac, expected);
        if (!genuine && _otherMac is { Value: { } other })
        {
            Authenticate(other, bytes[..length], method, path, expected);
            genuine = CryptographicOperations.FixedTimeEquals(mac, expected);
        }
        if (!genuine || bytes[0] != Version || !Enum.IsDefined((AccessRole)bytes[1]))
            return TokenFault.Forged;
        var age = _time.GetUtcNow().ToUnixTimeMilliseconds() - BinaryPrimitives.ReadInt64LittleEndian(bytes[2..]);
        if (Math.Abs(age) > Lifetime.TotalMilliseconds)
            return TokenFault.Expired;
        if (
            !Window(BinaryPrimitives.ReadUInt64LittleEndian(bytes[10..]))
                .TryTake(BinaryPrimitives.ReadUInt64LittleEndian(bytes[18..]))
        )
            return TokenFault.Replayed;
        (name, role) = (Encoding.UTF8.GetString(bytes[HeadLength..length]), (AccessRole)bytes[1]);
        return TokenFault.None;
    }

    public void Dispose()
    {
        _mac?.Dispose();
        _otherMac?.Dispose();
    }

    private static bool TrySplit(ReadOnlySpan<char> token, Span<byte> payload, Span<byte> mac, out int length)
    {
        length = 0;
        if (!token.StartsWith(Prefix, StringComparison.Ordinal) || token.LastIndexOf('.') is not (> 4 and var dot))
            return false;
        try
        {
            return Base64Url.TryDecodeFromChars(token[Prefix.Length..dot], payload, out length)
                && length >= HeadLength
                && Base64Url.TryDecodeFromChars(token[(dot + 1)..], mac, out var macLength)
                && macLength == MacLength;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>Of the payload and the call; the call itself is in no token.</summary>
    private static void Authenticate(
        IncrementalHash hash,
        ReadOnlySpan<byte> payload,
        string method,
        string path,
        Span<byte> mac
    )
    {
        const int Ordinary = 512;
        var most = Encoding.UTF8.GetMaxByteCount(method.Length + 2 + path.Length);
        Span<byte> call = most <= Ordinary ? stackalloc byte[Ordinary] : new byte[most];
        // A name cannot end in what begins the call.
        call[0] = 0;
        var length = 1 + Encoding.UTF8.GetBytes(method, call[1..]);
        call[length++] = (byte)' ';
        length += Encoding.UTF8.GetBytes(path, call[length..]);
        hash.AppendData(payload);
        hash.AppendData(call[..length]);
        hash.GetHashAndReset(mac);
    }

    private ReplayWindow Window(ulong sender)
    {
        if (!_windows.TryGetValue(sender, out var window))
        {
            if (_windows.Count >= MostSenders)
                ForgetIdle();
            window = _windows.GetOrAdd(sender, _ => new ReplayWindow());
        }
        window.LastUsed = _time.GetTimestamp();
        return window;
    }

    // A sender is a process that has this cluster's key. Its tokens have run out when it was silent for two lifetimes.
    private void ForgetIdle()
    {
        foreach (var (sender, window) in _windows)
        {
            if (_time.GetElapsedTime(window.LastUsed) > 2 * Lifetime)
                _windows.TryRemove(sender, out _);
        }
    }
}
