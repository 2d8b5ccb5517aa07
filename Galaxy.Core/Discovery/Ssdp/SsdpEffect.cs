using System.Net;

namespace Galaxy.Core.Discovery.Ssdp;

/// <summary>What SSDP on a link wants done, or has found out.</summary>
public abstract record SsdpEffect
{
    /// <summary>A datagram. <paramref name="To"/> null: to the group.</summary>
    /// <param name="Search">From a port of its own: answers come back there, and no other program on port 1900 takes
    /// them.</param>
    public sealed record Send(byte[] Packet, IPEndPoint? To, bool Search = false) : SsdpEffect;

    /// <summary>A device of our type is here, or still here. Its description says what it is.</summary>
    /// <param name="Location">Where the description is.</param>
    /// <param name="Version">Another one says that the description is worth reading again.</param>
    public sealed record Found(Guid Uuid, Uri Location, string Version, IPEndPoint From) : SsdpEffect;

    /// <summary>A device said goodbye.</summary>
    public sealed record Gone(Guid Uuid, IPEndPoint From) : SsdpEffect;

    /// <summary>A packet that was not answered or not believed, by a reason for the counters.</summary>
    public sealed record Refused(string Reason) : SsdpEffect;
}
