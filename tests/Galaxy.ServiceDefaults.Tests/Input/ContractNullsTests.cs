using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.ServiceDefaults.Tests.Input;

public class ContractNullsTests
{
    [Theory]
    [InlineData("""{"action":"a","required_devices":[null]}""", "required_devices[0]")]
    [InlineData("""{"action":"a","tags":["x",null]}""", "tags[1]")]
    [InlineData("""{"subtasks":[{"action":"a","required_devices":["x",null]}]}""", "required_devices[1]")]
    [InlineData("""{"subtasks":[null]}""", "subtasks[0]")]
    [InlineData("""{"action":"a","dependencies":[null]}""", "dependencies[0]")]
    [InlineData("""{"action":"a","retry":{"retry_on":[null]}}""", "retry_on[0]")]
    [InlineData("""{"action":"a","action":"b"}""", "action")]
    public void What_the_contract_excludes_is_refused_with_its_name(string json, string field)
    {
        var refused = Assert.Throws<JsonException>(() =>
            JsonSerializer.Deserialize<TaskRequest>(json, GalaxyJson.Options)
        );
        Assert.Contains(field, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_may_be_null_may_be_null() =>
        Assert.Equal(
            "a",
            JsonSerializer
                .Deserialize<TaskRequest>(
                    """{"action":"a","tags":null,"params":{"list":[null]},"retry":null,"target_device":null}""",
                    GalaxyJson.Options
                )!
                .Action
        );

    [Fact]
    public void A_stored_device_with_a_null_among_its_tags_is_refused() =>
        Assert.Throws<JsonException>(() =>
            JsonSerializer.Deserialize<DeviceView>(
                """{"device_id":"x","device_name":"x","tags":[null]}""",
                GalaxyJson.Options
            )
        );

    [Fact]
    public void The_path_leads_to_the_part_that_is_wrong()
    {
        var refused = Assert.Throws<JsonException>(() =>
            JsonSerializer.Deserialize<TaskRequest>(
                """{"subtasks":[{"action":"a"},{"action":"a","depends_on":[null]}]}""",
                GalaxyJson.Options
            )
        );
        Assert.Equal("$.subtasks[1]", refused.Path);
    }
}
