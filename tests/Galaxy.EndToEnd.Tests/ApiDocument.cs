using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Galaxy.EndToEnd.Tests;

/// <summary>The gateway's description of all operations.</summary>
internal static class ApiDocument
{
    /// <summary>
    /// The document once it names no service as missing: one that has just been started may not be described yet.
    /// </summary>
    public static async Task<JsonObject> WholeAsync(HttpClient gateway)
    {
        JsonObject? document = null;
        await Eventually.TrueAsync(async () =>
        {
            document = await gateway.GetFromJsonAsync<JsonObject>("/openapi.json");
            return document!["info"]!["x-galaxy-missing"] is null;
        });
        Assert.Equal(5, document!["tags"]!.AsArray().Count);
        return document;
    }
}
