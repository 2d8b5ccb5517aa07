namespace Galaxy.Core.Scheduling;

/// <summary>A device as the scheduler sees it.</summary>
/// <param name="Running">Tasks it is running now.</param>
/// <param name="Slots">Tasks it takes at once.</param>
public sealed record DeviceSlot(string DeviceId, string DeviceType, IReadOnlySet<string> Capabilities, int Running, int Slots)
{
    public double Load => Slots <= 0 ? 1 : (double)Running / Slots;
}

/// <summary>What a task asks of its device.</summary>
/// <param name="RequiredDevices">Ids or types; empty: any.</param>
/// <param name="RequiredCapabilities">All of them.</param>
public sealed record TaskNeeds(IReadOnlyCollection<string> RequiredDevices, IReadOnlyCollection<string> RequiredCapabilities)
{
    public bool MetBy(DeviceSlot device) =>
        (RequiredDevices.Count == 0 || RequiredDevices.Contains(device.DeviceId) || RequiredDevices.Contains(device.DeviceType))
        && RequiredCapabilities.All(device.Capabilities.Contains);
}

/// <summary>Chooses who runs a task: the least loaded device that can; ties go to a random one, so none is favoured.</summary>
public static class DevicePicker
{
    /// <summary>Returns null when no device that can run the task has a free slot.</summary>
    public static DeviceSlot? Pick(TaskNeeds needs, IEnumerable<DeviceSlot> devices, Random random)
    {
        DeviceSlot? best = null;
        var ties = 0;
        foreach (var device in devices)
        {
            if (device.Running >= device.Slots || !needs.MetBy(device))
                continue;
            if (best is null || device.Load < best.Load)
            {
                best = device;
                ties = 1;
            }
            else if (device.Load <= best.Load && random.Next(++ties) == 0)
            {
                best = device;
            }
        }
        return best;
    }
}
