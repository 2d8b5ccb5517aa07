using System.Diagnostics.CodeAnalysis;
using Galaxy.Bench.Mdns.Codec;

namespace Galaxy.Core.Discovery;

/// <summary>Parses by Makaretu.Dns.</summary>
public static class DnsReader
{
    private const bool IsComplete = true;

    static DnsReader() => MakaretuAdapter.IsComplete = IsComplete;

    /// <summary>False, never an exception, when the bytes are not a DNS message.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DnsMessage? message) =>
        MakaretuAdapter.TryParse(bytes, out message);
}
