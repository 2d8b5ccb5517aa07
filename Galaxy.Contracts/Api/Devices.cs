using System.Text.Json;

namespace Galaxy.Contracts.Api;

/// <summary>What a device can do.</summary>
/// <param name="Parameters">A JSON schema of the parameters; null: not told.</param>
/// <param name="Priority">1 to 10.</param>
public sealed record DeviceCapability(
    string Name,
    string Version = "1",
    int Priority = 5,
    string? Description = null,
    JsonElement? Parameters = null
);

/// <summary>A device as the registry replicates it.</summary>
public sealed record DeviceView
{
    public required string DeviceId { get; init; }
    public string DeviceName { get; init; } = "";

    /// <summary>For instance <c>android</c>, <c>windows</c>, <c>linux</c>, <c>printer_3d</c>, <c>sensor</c>.</summary>
    public string DeviceType { get; init; } = "unknown";

    /// <summary>
    /// <c>online</c>, <c>offline</c>, <c>busy</c>, <c>idle</c>, <c>error</c>, <c>maintenance</c>, <c>discovering</c>,
    /// <c>registering</c>.
    /// </summary>
    public string State { get; init; } = "registering";
    public IReadOnlyList<DeviceCapability> Capabilities { get; init; } = [];

    /// <summary>Tasks that it takes at once.</summary>
    public int Slots { get; init; } = 1;

    /// <summary>What it has to give; null: not limited.</summary>
    public ResourceAmounts? Resources { get; init; }

    /// <summary>A path such as <c>home/attic</c>.</summary>
    public string? Location { get; init; }
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Its share under the strategy <c>fair</c>.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Filled in by the leader: tasks in proportion to slots, 0 to 1.</summary>
    public double? Load { get; init; }

    /// <summary>The coordinator process that holds its socket; empty while offline.</summary>
    public string HeldBy { get; init; } = "";

    /// <summary><c>galaxy.v1</c> or <c>legacy</c>.</summary>
    public string Protocol { get; init; } = "";
    public string? OsVersion { get; init; }
    public string? AppVersion { get; init; }
    public DateTimeOffset LastSeen { get; init; }
}

/// <summary>Devices that are addressed together.</summary>
public sealed record GroupView(string GroupId, string Name, IReadOnlyList<string> Devices);
