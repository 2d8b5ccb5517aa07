using System.Text;
using Galaxy.Contracts.Api;
using Galaxy.Coordinator.Storage;

namespace Galaxy.Coordinator.Tests.Storage;

public class QuarantineTests
{
    private readonly Quarantine _quarantine = Quarantines.New();

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("5")]
    [InlineData("\u0001\u0002")]
    [InlineData("""{"device_id":null,"device_name":"x"}""")]
    [InlineData("""{"device_id":"x","device_name":"x","tags":[null]}""")]
    [InlineData("""{"device_id":"x","device_name":"\ud800"}""")]
    [InlineData("""{"device_id":"x","device_name":"x","slots":99999999999}""")]
    [InlineData("""{"device_id":"x","device_name":"x","device_id":"y"}""")]
    public void What_cannot_be_read_is_set_aside_with_its_reason_and_released_once_it_can(string json)
    {
        Assert.Null(_quarantine.Read<DeviceView>("devices", "x", Encoding.UTF8.GetBytes(json)));

        var record = Assert.Single(_quarantine.List());
        Assert.Equal(("devices", "x"), (record.Kind, record.Id));
        Assert.NotEmpty(record.Reason);

        Assert.NotNull(_quarantine.Read<DeviceView>("devices", "x", """{"device_id":"x","device_name":"x"}"""u8));
        Assert.Empty(_quarantine.List());
    }

    [Fact]
    public void What_can_be_read_and_not_used_is_not_released_by_reading_it()
    {
        Assert.Null(_quarantine.Use<string>("tasks", "x", () => throw new OverflowException("too long")));

        Assert.NotNull(_quarantine.Read<DeviceView>("tasks", "x", """{"device_id":"x","device_name":"x"}"""u8));
        Assert.Single(_quarantine.List());

        Assert.NotNull(_quarantine.Use("tasks", "x", () => "used"));
        Assert.Empty(_quarantine.List());
    }

    [Fact]
    public void A_failure_that_is_not_of_the_data_passes() =>
        Assert.Throws<TimeoutException>(() =>
            _quarantine.Use<string>("devices", "x", () => throw new TimeoutException())
        );
}
