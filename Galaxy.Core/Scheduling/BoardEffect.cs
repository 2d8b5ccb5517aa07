namespace Galaxy.Core.Scheduling;

/// <summary>What the board wants done once the changed tasks are durable; in this order.</summary>
public abstract record BoardEffect
{
    private BoardEffect() { }

    /// <summary>Give the device this attempt.</summary>
    public sealed record Dispatch(string TaskId, string AttemptId, string DeviceId) : BoardEffect;

    /// <summary>Tell the device that the result of this attempt is no longer needed.</summary>
    public sealed record Recall(string TaskId, string AttemptId, string DeviceId) : BoardEffect;

    /// <summary>The device may forget its result: it is recorded, or of no use.</summary>
    public sealed record Acknowledge(string TaskId, string AttemptId, string DeviceId) : BoardEffect;

    /// <summary>A result that came after its attempt was given up: keep it with the task.</summary>
    public sealed record KeepLate(
        string TaskId,
        string AttemptId,
        string DeviceId,
        bool Failed,
        ReadOnlyMemory<byte> Output,
        string Error
    ) : BoardEffect;
}

/// <summary>A device as the scheduler sees it.</summary>
public sealed record BoardDevice(string DeviceId)
{
    public string Type { get; init; } = "";

    /// <summary>Name and priority, 1 to 10.</summary>
    public IReadOnlyDictionary<string, int> Capabilities { get; init; } = new Dictionary<string, int>();

    /// <summary>Tasks that it takes at once; 0: none for now.</summary>
    public int Slots { get; init; } = 1;

    /// <summary>What it has to give; null: not limited.</summary>
    public Resources? Room { get; init; }
    public string Location { get; init; } = "";

    /// <summary>Its share in <see cref="PlacementStrategy.Fair"/>.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Whether it could take such a task, when it is free.</summary>
    public bool Meets(DeviceNeeds needs)
    {
        if (needs.Devices.Count > 0 && !IsAmong(needs.Devices))
            return false;
        foreach (var capability in needs.Capabilities)
        {
            if (!Capabilities.ContainsKey(capability))
                return false;
        }
        return Room is not { } room || needs.Resources.FitsInto(room);
    }

    /// <summary>By id or by type.</summary>
    public bool IsAmong(IReadOnlyList<string> idsOrTypes)
    {
        foreach (var one in idsOrTypes)
        {
            if (one == DeviceId || one == Type)
                return true;
        }
        return false;
    }
}
