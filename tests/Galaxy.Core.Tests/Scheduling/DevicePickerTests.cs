using Galaxy.Core.Scheduling;

namespace Galaxy.Core.Tests.Scheduling;

public class DevicePickerTests
{
    private static readonly TaskNeeds Anything = new([], []);

    private static DeviceSlot Device(string id, int running = 0, int slots = 4, string type = "linux", params string[] capabilities) =>
        new(id, type, capabilities.ToHashSet(), running, slots);

    [Fact]
    public void The_least_loaded_device_is_chosen() =>
        Assert.Equal("idle", DevicePicker.Pick(Anything, [Device("busy", 3), Device("idle", 0), Device("half", 2)], new Random(1))!.DeviceId);

    [Fact]
    public void Load_counts_in_proportion_to_slots() =>
        Assert.Equal("large", DevicePicker.Pick(Anything, [Device("small", 1, 2), Device("large", 2, 16)], new Random(1))!.DeviceId);

    [Fact]
    public void A_device_without_a_free_slot_is_not_chosen() =>
        Assert.Null(DevicePicker.Pick(Anything, [Device("full", 4, 4)], new Random(1)));

    [Fact]
    public void Every_required_capability_must_be_there()
    {
        var needs = new TaskNeeds([], ["camera", "gps"]);

        Assert.Null(DevicePicker.Pick(needs, [Device("phone", capabilities: "camera")], new Random(1)));
        Assert.Equal("phone", DevicePicker.Pick(needs, [Device("phone", capabilities: ["gps", "camera"])], new Random(1))!.DeviceId);
    }

    [Fact]
    public void A_device_may_be_asked_for_by_id_or_by_type()
    {
        DeviceSlot[] devices = [Device("pc", type: "windows"), Device("phone", type: "android")];

        Assert.Equal("phone", DevicePicker.Pick(new TaskNeeds(["phone"], []), devices, new Random(1))!.DeviceId);
        Assert.Equal("phone", DevicePicker.Pick(new TaskNeeds(["android"], []), devices, new Random(1))!.DeviceId);
    }

    [Fact]
    public void Equal_devices_share_the_work()
    {
        var random = new Random(1);
        var chosen = Enumerable.Range(0, 3000).CountBy(_ => DevicePicker.Pick(Anything, [Device("a"), Device("b"), Device("c")], random)!.DeviceId);

        Assert.All(chosen, count => Assert.InRange(count.Value, 850, 1150));
    }
}
