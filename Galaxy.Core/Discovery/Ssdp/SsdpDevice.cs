namespace Galaxy.Core.Discovery.Ssdp;

/// <summary>
/// A root device without services or embedded devices, as SSDP names it (UPnP Device Architecture 1.1, section 1.2.2).
/// </summary>
/// <param name="Path">Where its description is on this host, from the root: <c>/description/pc.xml</c>.</param>
/// <param name="ConfigId">0 to 2^24 - 1; another one says that the description has changed.</param>
public sealed record SsdpDevice(Guid Uuid, string Path, int ConfigId)
{
    public const string Type = "urn:schemas-ufo-galaxy:device:Coordinator:1";
    public const string RootDevice = "upnp:rootdevice";
    public const string All = "ssdp:all";

    /// <summary>What it notifies of, and what it is found by.</summary>
    public IReadOnlyList<string> Targets => [RootDevice, $"uuid:{Uuid}", Type];

    /// <summary>The unique service name that goes with a target.</summary>
    public string Usn(string target) =>
        target.StartsWith("uuid:", StringComparison.Ordinal) ? target : $"uuid:{Uuid}::{target}";

    /// <summary>The UUID in a unique service name of our type of device; null when it is another's.</summary>
    public static Guid? ReadUsn(string? usn) =>
        usn is { Length: < 256 }
        && usn.StartsWith("uuid:", StringComparison.OrdinalIgnoreCase)
        && usn["uuid:".Length..] is var rest
        && rest.EndsWith("::" + Type, StringComparison.Ordinal)
        && Guid.TryParse(rest[..^("::".Length + Type.Length)], out var uuid)
            ? uuid
            : null;
}
