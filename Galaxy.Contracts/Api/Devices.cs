namespace Galaxy.Contracts.Api;

/// <summary>What a device can do.</summary>
/// <param name="Priority">1 to 10.</param>
public sealed record DeviceCapability(string Name, string Version = "1", int Priority = 5);

/// <summary>A device as the registry replicates it.</summary>
public sealed record DeviceView
{
    public required string DeviceId { get; init; }
    public string DeviceName { get; init; } = "";
    public string DeviceType { get; init; } = "unknown";

    /// <summary><c>online</c>, <c>offline</c>, <c>busy</c>, <c>idle</c>, <c>error</c>, <c>maintenance</c>, <c>registering</c>.</summary>
    public string State { get; init; } = "registering";
    public IReadOnlyList<DeviceCapability> Capabilities { get; init; } = [];

    /// <summary>Tasks that it takes at once.</summary>
    public int Slots { get; init; } = 1;

    /// <summary>The coordinator process that holds its socket; empty while offline.</summary>
    public string HeldBy { get; init; } = "";

    /// <summary><c>galaxy.v1</c> or <c>legacy</c>.</summary>
    public string Protocol { get; init; } = "";
    public string? OsVersion { get; init; }
    public string? AppVersion { get; init; }
    public DateTimeOffset LastSeen { get; init; }
}
