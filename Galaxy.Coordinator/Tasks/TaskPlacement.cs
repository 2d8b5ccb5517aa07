using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Devices;
using Galaxy.Core.Scheduling;

namespace Galaxy.Coordinator.Tasks;

/// <summary>Decides which device gets which waiting task: by priority, then by age, to the least loaded that can.</summary>
internal sealed class TaskPlacement(DeviceHub hub, DeviceRegistry registry)
{
    private readonly Random _random = new();

    /// <summary>One pair at a time; a task that nobody can take now is passed over.</summary>
    public IEnumerable<(TaskView Task, string DeviceId)> Next(OpenTasks open)
    {
        var waiting = open.All.Where(task => task.AttemptId is null).OrderByDescending(task => task.Priority).ThenBy(task => task.CreatedAt).ToList();
        if (waiting.Count == 0)
            yield break;
        var slots = Slots(open);
        foreach (var task in waiting)
        {
            // A device named by the submitter is trusted to know the action: old clients declare no capabilities.
            IReadOnlyList<string> capabilities = task.TargetDevice is null ? [task.Action, .. task.RequiredCapabilities] : task.RequiredCapabilities;
            var needs = new TaskNeeds(task.TargetDevice is { } target ? [target] : [], [.. capabilities]);
            if (DevicePicker.Pick(needs, slots.Values, _random) is not { } device)
                continue;
            slots[device.DeviceId] = device with { Running = device.Running + 1 };
            yield return (task, device.DeviceId);
        }
    }

    private Dictionary<string, DeviceSlot> Slots(OpenTasks open)
    {
        var running = open.All.Where(task => task.DeviceId is not null).CountBy(task => task.DeviceId!).ToDictionary();
        return hub.DeviceIds.Where(id => hub.Find(id)?.TakesTasks == true).Select(registry.Get).OfType<DeviceView>().ToDictionary(
            device => device.DeviceId,
            device => new DeviceSlot(
                device.DeviceId, device.DeviceType, device.Capabilities.Select(c => c.Name).ToHashSet(StringComparer.Ordinal),
                running.GetValueOrDefault(device.DeviceId), device.Slots));
    }
}
