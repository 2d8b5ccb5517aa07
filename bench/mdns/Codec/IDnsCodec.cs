using System.Diagnostics.CodeAnalysis;
using Galaxy.Core.Discovery;

namespace Galaxy.Bench.Mdns.Codec;

/// <summary>What Galaxy.Core needs of a DNS codec.</summary>
internal interface IDnsCodec
{
    string Name { get; }

    /// <summary>False, never an exception, when the bytes are not a DNS message.</summary>
    bool TryParse(byte[] bytes, [NotNullWhen(true)] out DnsMessage? message);

    /// <exception cref="ArgumentException">The message cannot be written.</exception>
    byte[] Write(DnsMessage message);

    /// <summary>A record's data without compression.</summary>
    byte[] RawData(DnsRecord record);
}

/// <summary>The codec of Galaxy.Core.</summary>
internal sealed class GalaxyCodec : IDnsCodec
{
    public string Name => "Galaxy.Core";

    public bool TryParse(byte[] bytes, [NotNullWhen(true)] out DnsMessage? message) =>
        DnsReader.TryParse(bytes, out message);

    public byte[] Write(DnsMessage message) => DnsWriter.Write(message);

    public byte[] RawData(DnsRecord record) => DnsWriter.RawData(record);
}

/// <summary>Makaretu.Dns behind an adapter that catches its exceptions.</summary>
/// <param name="complete">See <see cref="MakaretuAdapter.IsComplete"/>.</param>
internal sealed class MakaretuCodec(bool complete) : IDnsCodec
{
    public string Name => complete ? "Makaretu.Dns, completed" : "Makaretu.Dns, caught";

    public bool TryParse(byte[] bytes, [NotNullWhen(true)] out DnsMessage? message)
    {
        MakaretuAdapter.IsComplete = complete;
        return MakaretuAdapter.TryParse(bytes, out message);
    }

    public byte[] Write(DnsMessage message)
    {
        MakaretuAdapter.IsComplete = complete;
        return MakaretuAdapter.Write(message);
    }

    public byte[] RawData(DnsRecord record)
    {
        MakaretuAdapter.IsComplete = complete;
        return MakaretuAdapter.RawData(record);
    }
}
