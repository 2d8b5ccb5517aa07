using System.Buffers;
using System.Text.Json;
using Galaxy.Contracts.Cluster;
using Galaxy.Core.Routing;
using Galaxy.Router.Invocation;

namespace Galaxy.Router.Registration;

/// <summary><c>POST /register</c>. Capabilities are names, or objects with a name.</summary>
internal sealed record RegisterRequest
{
    public string? NodeId { get; init; }
    public string? Url { get; init; }

    /// <summary><c>kernel</c>, <c>gateway</c>, <c>tools</c> (default) or <c>physical</c>.</summary>
    public string? Layer { get; init; }
    public JsonElement? Capabilities { get; init; }

    /// <summary>0 to 1.</summary>
    public double? Load { get; init; }

    /// <summary><c>healthy</c> (default), <c>degraded</c> or <c>unhealthy</c>.</summary>
    public string? Status { get; init; }
    public Dictionary<string, string>? Labels { get; init; }

    /// <summary>A path such as <c>home/attic</c>.</summary>
    public string? Location { get; init; }

    /// <summary>How long it is known without a heartbeat; 90 by default.</summary>
    public double? TtlSeconds { get; init; }

    private const int MostCapabilities = 100;
    private const int MostSchema = 16 * 1024;
    private const int MostLabels = 32;
    private static readonly SearchValues<char> NotInPaths = SearchValues.Create("?#\\ \r\n");
    private static readonly string[] Statuses = ["healthy", "degraded", "unhealthy"];
    private static readonly string[] Methods = ["GET", "POST"];

    /// <summary>Null when it can be used; otherwise what is wrong.</summary>
    public string? Complaint() =>
        this switch
        {
            { NodeId: null or "" or { Length: > 128 } } => "'node_id' is required, 1 to 128 characters.",
            { Url: var url }
                when !Uri.TryCreate(url, UriKind.Absolute, out var address)
                    || address.Scheme is not ("http" or "https")
                    || url!.Length > 2048 => $"'url' is '{url}', which is not an http address.",
            { Url: var url }
                when new Uri(url!) is { Query.Length: > 0 } or { Fragment.Length: > 0 } or { UserInfo.Length: > 0 } =>
                $"'url' is '{url}'; it must have no query, fragment or password.",
            { Layer: { } layer } when !RouteTarget.Layers.Contains(layer) =>
                $"'layer' is '{layer}'; allowed are {string.Join(", ", RouteTarget.Layers)}.",
            { TtlSeconds: { } ttl } when ttl is not (>= 1 and <= 3600) => "'ttl_seconds' must be 1 to 3,600.",
            { Location.Length: > 256 } => "'location' may have at most 256 characters.",
            { Labels.Count: > MostLabels } => $"'labels' may have at most {MostLabels} entries.",
            _ when Labels?.FirstOrDefault(label =>
                    label.Key.Length is 0 or > 64
                    || label.Value is not { Length: <= 256 }
                    || label.Key.AsSpan().ContainsAny(",=")
                )
                    is { Key: not null } bad =>
                $"'labels' has '{bad.Key}': a name has 1 to 64 characters without ',' and '=', a value at most 256.",
            _ => StateComplaint(Load, Status) ?? CapabilityComplaint(),
        };

    /// <summary>Of what a heartbeat tells as well.</summary>
    public static string? StateComplaint(double? load, string? status) =>
        load is { } number && number is not (>= 0 and <= 1) ? "'load' must be 0 to 1."
        : status is not null && !Statuses.Contains(status)
            ? $"'status' is '{status}'; allowed are {string.Join(", ", Statuses)}."
        : null;

    private string? CapabilityComplaint()
    {
        if (Capabilities is not { } list || list.ValueKind == JsonValueKind.Null)
            return null;
        if (list.ValueKind != JsonValueKind.Array)
            return "'capabilities' must be a list of names, or of objects with a name.";
        if (list.GetArrayLength() > MostCapabilities)
            return $"'capabilities' may have at most {MostCapabilities} entries.";
        var index = 0;
        foreach (var item in list.EnumerateArray())
        {
            var field = $"capabilities[{index++}]";
            if (Text(item, "name") is not { Length: > 0 and <= 64 })
                return $"'{field}' must be a name of 1 to 64 characters, or an object with such a 'name'.";
            if (item.ValueKind == JsonValueKind.String)
                continue;
            if (Text(item, "method") is { } method && !Methods.Contains(method))
                return $"'{field}.method' is '{method}'; allowed are {string.Join(", ", Methods)}.";
            if (
                Text(item, "path") is { } path
                && (
                    path.Length > 1024
                    || !path.StartsWith('/')
                    || path.StartsWith("//", StringComparison.Ordinal)
                    || path.AsSpan().ContainsAny(NotInPaths)
                )
            )
                return $"'{field}.path' is '{path}'; it must begin with one '/' and have no query.";
            if (Text(item, "description") is { Length: > 1024 })
                return $"'{field}.description' may have at most 1,024 characters.";
            if (
                item.TryGetProperty("parameters", out var schema)
                && schema.ValueKind != JsonValueKind.Null
                && (schema.ValueKind != JsonValueKind.Object || schema.GetRawText().Length > MostSchema)
            )
                return $"'{field}.parameters' must be a JSON schema of at most {MostSchema:N0} characters.";
            if (
                item.TryGetProperty("priority", out var priority)
                && !(
                    priority.ValueKind == JsonValueKind.Number
                    && priority.TryGetInt32(out var number)
                    && number is >= 1 and <= 10
                )
            )
                return $"'{field}.priority' must be 1 to 10.";
            if (
                item.TryGetProperty("idempotent", out var idempotent)
                && idempotent.ValueKind is not (JsonValueKind.True or JsonValueKind.False)
            )
                return $"'{field}.idempotent' must be true or false.";
        }
        return null;
    }

    public Service ToService()
    {
        var service = new Service
        {
            Id = NodeId,
            Kind = TargetHttp.External,
            Url = Url!.TrimEnd('/'),
            Layer = Layer ?? "tools",
            Load = Load ?? 0,
            Status = Status ?? "",
            Location = Location ?? "",
            TtlMs = (long)((TtlSeconds ?? 90) * 1000),
        };
        foreach (var (name, value) in Labels ?? [])
            service.Labels[name] = value;
        if (Capabilities is { ValueKind: JsonValueKind.Array } list)
            service.Capabilities.AddRange(list.EnumerateArray().Select(ReadCapability).DistinctBy(one => one.Name));
        return service;
    }

    private static Capability ReadCapability(JsonElement item) =>
        new()
        {
            Name = Text(item, "name"),
            Version = Text(item, "version") is { Length: <= 64 } version ? version : "1",
            Priority =
                item.ValueKind == JsonValueKind.Object && item.TryGetProperty("priority", out var priority)
                    ? priority.GetInt32()
                    : 5,
            Description = Text(item, "description") ?? "",
            Parameters =
                item.ValueKind == JsonValueKind.Object
                && item.TryGetProperty("parameters", out var schema)
                && schema.ValueKind == JsonValueKind.Object
                    ? schema.GetRawText()
                    : "",
            Path = Text(item, "path") ?? "",
            Method = Text(item, "method") ?? "",
            Idempotent =
                item.ValueKind == JsonValueKind.Object
                && item.TryGetProperty("idempotent", out var idempotent)
                && idempotent.GetBoolean(),
        };

    // A plain name is the name; of an object the field.
    private static string? Text(JsonElement item, string name) =>
        item.ValueKind switch
        {
            JsonValueKind.String => name == "name" ? item.GetString() : null,
            JsonValueKind.Object
                when item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String =>
                value.GetString(),
            _ => null,
        };
}

/// <summary><c>POST /heartbeat</c>: what is left out stays as it was.</summary>
internal sealed record HeartbeatRequest(string? NodeId, double? Load, string? Status);
