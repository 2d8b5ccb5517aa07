using Galaxy.ServiceDefaults.OpenApi;

namespace Galaxy.Router.OpenApi;

/// <summary>
/// <c>/openapi/router.json</c>: what a router answers, with an example for each body that is not obvious.
/// </summary>
internal static class ApiDescription
{
    private static readonly Dictionary<string, string> Examples = new(StringComparer.Ordinal)
    {
        ["/register"] =
            """{"node_id":"painter","url":"http://192.168.1.20:9000","layer":"tools","labels":"""
            + """{"gpu":"true"},"location":"home/attic","capabilities":["sketch","""
            + """{"name":"paint","description":"Paints what it is told","path":"/paint","idempotent":"""
            + """true,"parameters":{"type":"object","properties":{"what":"""
            + """{"type":"string"}}}}],"ttl_seconds":90}""",
        ["/heartbeat"] = """{"node_id":"painter","load":0.4,"status":"healthy"}""",
        ["/tools/discover"] = """{"query":"language model","limit":10}""",
        ["/tools/invoke"] = Call,
        ["/tools/execute"] = Call,
        ["/mcp/call"] = Call,
    };

    private const string Call = """{"tool":"echo","arguments":{"text":"hello"},"timeout":30}""";

    public static void AddApiDescription(this IServiceCollection services) =>
        services.AddApiDescription(
            "router",
            "Galaxy router (Node_04)",
            "Who can do this, who should, and having it done. Field names are snake_case; errors are "
                + "problem documents (RFC 9457) that name the field.",
            Examples
        );
}
