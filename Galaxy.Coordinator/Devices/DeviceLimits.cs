using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Devices;

/// <summary>What a device may report of itself, through any endpoint.</summary>
internal static class DeviceLimits
{
    public const int MaxSlots = 1000;
    public const double MaxWeight = 1000;

    private const int MaxTypeLength = 64;
    private const int MaxNameLength = 256;
    private const int MaxVersionLength = 256;
    private const int MaxTags = 100;
    private const int MaxTagLength = 128;
    private const int MaxRecordBytes = 192 * 1024;

    /// <summary>Null: nothing is wrong.</summary>
    public static string? Complaint(DeviceView device) =>
        device switch
        {
            { DeviceType.Length: 0 or > MaxTypeLength } => $"'device_type' must have 1 to {MaxTypeLength} characters.",
            { DeviceName.Length: > MaxNameLength } => $"'device_name' may have at most {MaxNameLength} characters.",
            { OsVersion.Length: > MaxVersionLength } => $"'os_version' may have at most {MaxVersionLength} characters.",
            { AppVersion.Length: > MaxVersionLength } =>
                $"'app_version' may have at most {MaxVersionLength} characters.",
            { Slots: < 0 or > MaxSlots } => $"'slots' must be 0 to {MaxSlots:N0}.",
            { Location.Length: > MaxNameLength } => $"'location' may have at most {MaxNameLength} characters.",
            { Tags.Count: > MaxTags } => $"'tags' may have at most {MaxTags} entries.",
            { Tags: { } tags } when tags.Any(tag => tag.Length is 0 or > MaxTagLength) =>
                $"'tags' has an entry that is empty or longer than {MaxTagLength} characters.",
            { Weight: var weight } when weight is not (> 0 and <= MaxWeight) =>
                $"'weight' must be more than 0 and at most {MaxWeight:N0}.",
            _ => JsonSerializer.SerializeToUtf8Bytes(device, GalaxyJson.Options).Length
                is > MaxRecordBytes
                    and var bytes
                ? $"A device may say {MaxRecordBytes:N0} bytes of itself; this one says {bytes:N0}. Shorten "
                    + "'capabilities'."
                : null,
        };
}
