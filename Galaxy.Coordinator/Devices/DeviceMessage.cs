using System.Runtime.InteropServices;
using System.Text.Json;

namespace Galaxy.Coordinator.Devices;

/// <summary>A message of a device: its fields stand at the top, or in the <c>payload</c> of an AIP/1.0 envelope.</summary>
internal sealed class DeviceMessage : IDisposable
{
    private static readonly JsonDocumentOptions Limits = new() { MaxDepth = 32 };
    private readonly JsonDocument _document;
    private readonly JsonElement _body;

    private DeviceMessage(JsonDocument document, string type)
    {
        (_document, Type) = (document, type);
        _body = document.RootElement.TryGetProperty("payload", out var payload) && payload.ValueKind == JsonValueKind.Object ? payload : document.RootElement;
    }

    public string Type { get; }

    /// <summary>The sender, as the envelope names it; empty: it does not.</summary>
    public string From => Text(_document.RootElement, "from");

    /// <summary>Null: it is not a JSON object with a <c>type</c>.</summary>
    public static DeviceMessage? Parse(ReadOnlyMemory<byte> utf8)
    {
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(utf8, Limits);
            if (document.RootElement.ValueKind == JsonValueKind.Object && Text(document.RootElement, "type") is { Length: > 0 } type)
                return new DeviceMessage(document, type);
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException)
        {
            // Not JSON, or text with half of a surrogate pair.
        }
        document?.Dispose();
        return null;
    }

    /// <summary>Empty: it is not there, or no text.</summary>
    public string this[string name] => Text(_body, name);

    /// <summary>Null: it is not there, or no number.</summary>
    public double? Number(string name) =>
        _body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : null;

    public bool Has(string name) => _body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>Null: it is not there, or no array.</summary>
    public JsonElement? Array(string name) => _body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value : null;

    /// <summary>Null: it is not there, or no object.</summary>
    public JsonElement? Object(string name) => _body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    /// <summary>As it was sent; empty: it is not there.</summary>
    public byte[] Raw(string name) =>
        _body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? JsonMarshal.GetRawUtf8Value(value).ToArray() : [];

    private static string Text(JsonElement element, string name)
    {
        try
        {
            return element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        }
        catch (InvalidOperationException)
        {
            // An escape that is half of a surrogate pair.
            return "";
        }
    }

    public void Dispose() => _document.Dispose();
}
