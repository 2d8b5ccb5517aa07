using System.Text.Json;
using System.Text.Json.Nodes;

namespace Galaxy.Cli.Worker.Actions;

/// <summary>What an action is given.</summary>
/// <param name="Report">Progress, 0 to 1.</param>
internal sealed record ActionCall(JsonObject Params, Action<double> Report, CancellationToken Cancellation)
{
    /// <exception cref="ArgumentException">It is missing, or no text.</exception>
    public string Text(string name) => OptionalText(name) ?? throw new ArgumentException($"'{name}' is required");

    /// <exception cref="ArgumentException">It is no text.</exception>
    public string? OptionalText(string name) =>
        Params[name] switch
        {
            null => null,
            JsonValue value when value.TryGetValue<string>(out var text) => text,
            _ => throw new ArgumentException($"'{name}' must be a text"),
        };

    /// <exception cref="ArgumentException">It is no number.</exception>
    public double Number(string name, double fallback) =>
        Params[name] switch
        {
            null => fallback,
            JsonValue value when value.TryGetValue<double>(out var number) && double.IsFinite(number) => number,
            _ => throw new ArgumentException($"'{name}' must be a number"),
        };
}

/// <summary>Something that a worker can do. One that throws fails its task with the exception's message.</summary>
/// <param name="Parameters">A JSON schema of the parameters.</param>
internal sealed record WorkerAction(
    string Name,
    string Description,
    string Parameters,
    Func<ActionCall, Task<JsonNode?>> RunAsync
)
{
    /// <summary>As the worker tells the cluster.</summary>
    public JsonObject ToCapability() =>
        new()
        {
            ["name"] = Name,
            ["version"] = ServiceDefaults.Nodes.BuildVersion.Text,
            ["description"] = Description,
            ["parameters"] = JsonSerializer.Deserialize<JsonObject>(Parameters),
        };
}
