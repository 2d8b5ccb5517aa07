using Galaxy.ServiceDefaults.OpenApi;

namespace Galaxy.OneApi.Http;

/// <summary>
/// <c>/openapi/oneapi.json</c>: what OneApi answers. The bodies of <c>/v1</c> are OpenAI's and Anthropic's own; here is
/// an example of each.
/// </summary>
internal static class ApiDescription
{
    private static readonly Dictionary<string, string> Examples = new(StringComparer.Ordinal)
    {
        ["/v1/chat/completions"] =
            """{"model":"galaxy/echo","messages":[{"role":"user","content":"hello"}],"stream":false}""",
        ["/v1/completions"] = """{"model":"galaxy/echo","prompt":"hello"}""",
        ["/v1/messages"] =
            """{"model":"galaxy/echo","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}""",
        ["/v1/messages/count_tokens"] = """{"model":"galaxy/echo","messages":[{"role":"user","content":"hello"}]}""",
        ["/v1/responses"] = """{"model":"galaxy/echo","input":"hello"}""",
        ["/v1/embeddings"] = """{"model":"galaxy/echo","input":["hello","world"]}""",
        ["/v1/images/generations"] = """{"model":"galaxy/echo","prompt":"a grey square"}""",
        ["/v1/audio/speech"] = """{"model":"galaxy/echo","input":"hello","voice":"alloy"}""",
        ["/v1/moderations"] = """{"model":"galaxy/echo","input":"hello"}""",
        ["/v1/rerank"] = """{"model":"galaxy/echo","query":"a moon","documents":["the moon","a spoon"]}""",
        ["/api/v1/keys"] =
            """{"name":"guest","models":["openai/*"],"rpm":60,"tpm":100000,"budget_per_day":"""
            + """1.5,"expires":"2027-01-31T00:00:00Z"}""",
        ["/mcp/call"] = """{"tool":"weather","arguments":{"location":"Lisbon"}}""",
    };

    public static void AddApiDescription(this IServiceCollection services) =>
        services.AddApiDescription(
            "oneapi",
            "Galaxy OneApi (Node_01)",
            "One address for every model, in the words of OpenAI and of Anthropic. /v1 takes the cluster's "
                + "key or one of /api/v1/keys, and says what is wrong in the client's own dialect; the rest "
                + "takes the cluster's key and answers "
                + "with problem documents (RFC 9457). Answers tell in x-galaxy-* headers who answered, after "
                + "how many attempts, what was dropped and what it cost.",
            Examples
        );
}
