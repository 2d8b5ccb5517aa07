using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Replica;

namespace Galaxy.Coordinator.Tests.State;

/// <summary>What going back to a snapshot sets back, over HTTP and on a real disk.</summary>
public sealed class RestoreTests : IAsyncLifetime
{
    private StateServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await StateServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private void Put(string ns, string key, string value) =>
        _server.Replica.Replica.Put(ns, key, System.Text.Encoding.UTF8.GetBytes(value));

    private async Task<string> SnapshotAsync()
    {
        using var taken = await _server.Http.PostAsync(
            "/api/v1/state/snapshots",
            null,
            TestContext.Current.CancellationToken
        );
        return (string)
            (await taken.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken))!["name"]!;
    }

    private Task<HttpResponseMessage> RestoreAsync(string name, params string[] namespaces) =>
        _server.Http.PostAsync(
            "/api/v1/state/restore",
            StateServer.Json(
                new JsonObject
                {
                    ["snapshot"] = name,
                    ["namespaces"] =
                        namespaces.Length == 0 ? null : new JsonArray([.. namespaces.Select(ns => (JsonNode)ns)]),
                }.ToJsonString()
            ),
            TestContext.Current.CancellationToken
        );

    [Theory]
    [InlineData(Namespaces.Access)]
    [InlineData(Namespaces.Audit)]
    [InlineData(Namespaces.Devices)]
    [InlineData(Namespaces.Services)]
    public async Task A_snapshot_brings_back_no_withdrawn_key_and_takes_away_no_new_one(string ns)
    {
        Put(ns, "withdrawn", """{"old":1}""");
        Put(ns, "changed", """{"old":1}""");
        Put("notes", "key", "1");
        var name = await SnapshotAsync();
        _server.Replica.Replica.Delete(ns, "withdrawn");
        Put(ns, "changed", """{"new":1}""");
        Put(ns, "added", """{"new":1}""");
        Put("notes", "key", "2");

        using var restored = await RestoreAsync(name);

        Assert.Equal(HttpStatusCode.OK, restored.StatusCode);
        // It did go back, and not for what is Galaxy's own.
        Assert.Equal("1", _server.Stored("notes"));
        AssertUntouched(ns);

        using var asked = await RestoreAsync(name, "notes", ns);

        Assert.Equal(HttpStatusCode.Forbidden, asked.StatusCode);
        AssertUntouched(ns);
    }

    private void AssertUntouched(string ns) =>
        Assert.Equal(
            (null, """{"new":1}""", """{"new":1}"""),
            (_server.Stored(ns, "withdrawn"), _server.Stored(ns, "changed"), _server.Stored(ns, "added"))
        );
}
