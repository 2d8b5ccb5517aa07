using System.Text.Json;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.ServiceDefaults.Tests.Input;

/// <summary>
/// What the serializer of this .NET says is understood: another wording of a later version fails here.
/// </summary>
public class JsonFaultsTests
{
    [Theory]
    [InlineData("""{"priority":"high"}""", "'priority' must be a whole number.")]
    [InlineData("""{"timeout_seconds":"x"}""", "'timeout_seconds' must be a number.")]
    [InlineData("""{"hold":"yes"}""", "'hold' must be true or false.")]
    [InlineData("""{"action":5}""", "'action' must be a text.")]
    [InlineData("""{"tags":"a"}""", "'tags' must be a list.")]
    [InlineData("""{"not_before":"soon"}""", "'not_before' must be a time such as \"2026-11-29T08:00:00Z\".")]
    [InlineData("""{"retry":7}""", "'retry' must be an object.")]
    [InlineData("""{"subtasks":[{"action":{}}]}""", "'subtasks[0].action' must be a text.")]
    [InlineData("[]", "The body must be an object.")]
    public void A_value_of_another_type_is_named_in_words_of_JSON(string json, string sentence) =>
        Assert.Equal(sentence, JsonFaults.Describe(FaultOf<TaskRequest>(json)));

    [Fact]
    public void A_list_that_is_an_object_is_named_too() =>
        Assert.Equal("The body must be a list.", JsonFaults.Describe(FaultOf<IReadOnlyList<TaskRequest>>("{}")));

    [Fact]
    public void A_name_that_is_not_known_is_said_with_those_that_are()
    {
        var sentence = JsonFaults.Describe(FaultOf<TaskRequest>("""{"acton":"echo"}"""));
        Assert.StartsWith("'acton' is not known here. Known: ", sentence);
        Assert.Contains("action, ", sentence);
        Assert.DoesNotContain("Galaxy.", sentence);
    }

    private static JsonException FaultOf<T>(string json) =>
        Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize<T>(json, GalaxyJson.Options));
}
