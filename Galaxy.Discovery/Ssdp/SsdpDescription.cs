using System.Security.Cryptography;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Ssdp;
using Galaxy.Discovery.Peers;

namespace Galaxy.Discovery.Ssdp;

/// <summary>
/// The description document of a node (UPnP Device Architecture 1.1, section 2.3), with one element of our own: the
/// announcement of the UDP discovery source, signed when the document is read and with the reader's nonce, so that it
/// proves what a stored document could not.
/// </summary>
internal static class SsdpDescription
{
    private const int LongestName = 128;
    private const int LongestUrl = 512;
    private static readonly XNamespace Upnp = "urn:schemas-upnp-org:device-1-0";
    private static readonly XNamespace Galaxy = "urn:schemas-ufo-galaxy:node-1-0";

    /// <summary>
    /// The name of the document: short whatever the node is called, for an answer must not outgrow its question.
    /// </summary>
    public static string Name(LocalNode own) => Uuid(own).ToString()[..8];

    public static string Path(LocalNode own) => $"/description/{Name(own)}.xml";

    /// <summary>
    /// The same for a node as long as it keeps its name: a name-based UUID (RFC 9562, section 5.8, with SHA-256).
    /// </summary>
    public static Guid Uuid(LocalNode own)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes($"galaxy/{own.Cluster}/{own.NodeId}"))[..16];
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>Another one when the document says something else.</summary>
    public static int ConfigId(LocalNode own) =>
        BitConverter.ToInt32(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{own.Role}\n{own.Url}\n{own.GrpcUrl}\n{own.Version}"))
        ) & 0xFFFFFF;

    /// <param name="nonce">The reader's; empty for readers that do not support it.</param>
    public static string Write(LocalNode own, Trust trust, string nonce)
    {
        var announcement = trust.Make(NodeAnnouncement.Of(own, AnnouncementKind.Response, re: nonce));
        var document = new XElement(
            Upnp + "root",
            new XAttribute("configId", ConfigId(own)),
            new XElement(Upnp + "specVersion", new XElement(Upnp + "major", 1), new XElement(Upnp + "minor", 1)),
            new XElement(
                Upnp + "device",
                new XElement(Upnp + "deviceType", SsdpDevice.Type),
                new XElement(Upnp + "friendlyName", own.NodeId),
                new XElement(Upnp + "manufacturer", "Galaxy"),
                new XElement(Upnp + "modelName", "Galaxy coordinator"),
                new XElement(Upnp + "modelNumber", own.Version),
                new XElement(Upnp + "UDN", $"uuid:{Uuid(own)}"),
                new XElement(Upnp + "presentationURL", own.Url),
                new XElement(
                    Galaxy + "announcement",
                    new XAttribute(XNamespace.Xmlns + "galaxy", Galaxy),
                    Encoding.UTF8.GetString(announcement.ToBytes())
                )
            )
        );
        return "<?xml version=\"1.0\"?>\n" + document;
    }

    /// <summary>
    /// What a document says of a node: the announcement in it or, of a device of our type that has none, its name and
    /// address, unsigned. Null when it is about something else.
    /// </summary>
    public static Announcement? Read(Stream document)
    {
        try
        {
            using var reader = XmlReader.Create(
                document,
                new XmlReaderSettings
                {
                    DtdProcessing = DtdProcessing.Prohibit,
                    XmlResolver = null,
                    MaxCharactersInDocument = 64 * 1024,
                }
            );
            var device = XDocument
                .Load(reader)
                .Descendants(Upnp + "device")
                .FirstOrDefault(device => Text(device, "deviceType") == SsdpDevice.Type);
            if (device?.Element(Galaxy + "announcement")?.Value is { } text)
                return Announcement.TryParse(Encoding.UTF8.GetBytes(text), out var announcement) ? announcement : null;
            return device is not null && Text(device, "friendlyName") is { Length: > 0 and <= LongestName } name
                ? new Announcement(AnnouncementKind.Response, name, 0)
                {
                    Name = name,
                    Url = Text(device, "presentationURL") is { Length: <= LongestUrl } url ? url : "",
                }
                : null;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    private static string Text(XElement device, string name) => device.Element(Upnp + name)?.Value.Trim() ?? "";
}
