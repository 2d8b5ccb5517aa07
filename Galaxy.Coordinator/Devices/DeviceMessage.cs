using System.Runtime.InteropServices;
using System.Text.Json;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.Coordinator.Devices;

/// <summary>
/// A message of a device: its fields are at the top, or in the <c>payload</c> of an AIP/1.0 envelope.
/// </summary>
internal sealed class DeviceMessage : IDisposable
{
    private readonly JsonDocument _document;
    private readonly JsonElement _body;

    private DeviceMessage(JsonDocument document, string type)
    {
        (_document, Type) = (document, type);
        _body =
            document.RootElement.TryGetProperty("payload", out var payload) && payload.ValueKind == JsonValueKind.Object
                ? payload
                : document.RootElement;
    }

    public string Type { get; }

    /// <summary>The sender, as the envelope names it; empty: it does not.</summary>
    public string From => Text(_document.RootElement, "from");

    /// <summary>
    /// Null: it is not a JSON object with a <c>type</c>, or <paramref name="fault"/> says what else is wrong.
    /// </summary>
    public static DeviceMessage? Parse(ReadOnlyMemory<byte> utf8, out InputError? fault)
    {
        if ((fault = JsonInput.Validate(utf8.Span)) is not null)
            return null;
        var document = JsonDocument.Parse(utf8);
        if (
            document.RootElement.ValueKind == JsonValueKind.Object
            && Text(document.RootElement, "type") is { Length: > 0 } type
        )
            return new DeviceMessage(document, type);
        document.Dispose();
        return null;
    }

    /// <summary>
    /// Which attempt a refused message is the result of, if it says so legibly: a device repeats its result until it is
    /// acknowledged, so that one that cannot be taken has to end the attempt.
    /// </summary>
    public static (string TaskId, string AttemptId)? RefusedResult(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(
                utf8,
                new JsonDocumentOptions { MaxDepth = DeviceSession.MaxMessageBytes }
            );
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return null;
            using var message = new DeviceMessage(document, Text(document.RootElement, "type"));
            var taskId = message["task_id"] is { Length: > 0 } id ? id : message["request_id"];
            return IsResult(message.Type) && taskId.Length > 0 ? (taskId, message["attempt_id"]) : null;
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The types under which devices tell the result of a task.</summary>
    public static bool IsResult(string type) => type is "task_result" or "command_result" or "result";

    /// <summary>Empty: it is not there, or no text.</summary>
    public string this[string name] => Text(_body, name);

    /// <summary>Null: it is not there, or no number.</summary>
    public double? Number(string name) =>
        _body.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out var number)
        && double.IsFinite(number)
            ? number
            : null;

    public bool Has(string name) => _body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>Null: it is not there, or no array.</summary>
    public JsonElement? Array(string name) =>
        _body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value : null;

    /// <summary>Null: it is not there, or no object.</summary>
    public JsonElement? Object(string name) =>
        _body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    /// <summary>As it was sent; empty: it is not there.</summary>
    public byte[] Raw(string name) =>
        _body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? JsonMarshal.GetRawUtf8Value(value).ToArray()
            : [];

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : "";

    public void Dispose() => _document.Dispose();
}
