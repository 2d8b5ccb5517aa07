using Galaxy.Bench.Mdns.Codec;

namespace Galaxy.Core.Discovery;

/// <summary>Writes by Makaretu.Dns.</summary>
public static class DnsWriter
{
    private const bool IsComplete = true;

    static DnsWriter() => MakaretuAdapter.IsComplete = IsComplete;

    /// <summary>The message's bytes.</summary>
    /// <exception cref="ArgumentException">The message cannot be written.</exception>
    public static byte[] Write(DnsMessage message) => MakaretuAdapter.Write(message);

    /// <summary>A record's data without compression.</summary>
    /// <exception cref="ArgumentException">The record cannot be written.</exception>
    public static byte[] RawData(DnsRecord record) => MakaretuAdapter.RawData(record);
}
