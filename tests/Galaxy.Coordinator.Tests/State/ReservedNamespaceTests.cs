using System.Net;
using System.Reflection;
using System.Text;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Replica;
using Galaxy.Coordinator.State;
using Galaxy.Core.State;

namespace Galaxy.Coordinator.Tests.State;

/// <summary>The state's own API over HTTP: it writes into no namespace of Galaxy's, whichever there are.</summary>
public sealed class ReservedNamespaceTests : IAsyncLifetime
{
    private StateServer _server = null!;

    /// <summary>Every constant: a new one cannot be forgotten.</summary>
    public static TheoryData<string> All =>
        [
            .. typeof(Namespaces)
                .GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)
                .Where(one => one.IsLiteral && one.FieldType == typeof(string))
                .Select(one => (string)one.GetRawConstantValue()!),
        ];

    public async ValueTask InitializeAsync() => _server = await StateServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_namespace_of_galaxys_own_takes_no_value_and_loses_none(string ns)
    {
        _server.Replica.Replica.Put(ns, "key", "1"u8.ToArray());

        using var put = await _server.Http.PutAsync($"/api/v1/state/{ns}/key", StateServer.Json("2"));
        using var disguised = await _server.Http.PutAsync(
            $"/api/v1/state/%{(int)ns[0]:X2}{ns[1..]}/key",
            StateServer.Json("2")
        );
        using var deleted = await _server.Http.DeleteAsync($"/api/v1/state/{ns}/key");

        Assert.Equal(
            (HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
            (put.StatusCode, disguised.StatusCode, deleted.StatusCode)
        );
        Assert.Equal("1", _server.Stored(ns));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_conflict_is_decided_by_value_in_no_namespace_of_galaxys_own(string ns)
    {
        using var other = new OneReplica("b");
        foreach (var (replica, value) in new[] { (_server.Replica, "1"), (other, "2") })
            replica.Replica.Write(
                new EntryId(ns, "key"),
                new StateWrite(Encoding.UTF8.GetBytes(value), ConflictPolicy.Manual)
            );
        _server.Replica.Hear(other);
        Assert.True(_server.Replica.Replica.Get(ns, "key")!.IsContested);

        using var answer = await _server.Http.PostAsync(
            $"/api/v1/state/conflicts/{ns}/key",
            StateServer.Json("""{"value":3}""")
        );

        Assert.Equal(ns == Namespaces.Config ? HttpStatusCode.BadRequest : HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.True(_server.Replica.Replica.Get(ns, "key")!.IsContested);
    }

    [Fact]
    public async Task Other_namespaces_are_written_and_deleted()
    {
        using var put = await _server.Http.PutAsync("/api/v1/state/notes/key", StateServer.Json("2"));
        Assert.Equal((HttpStatusCode.OK, "2"), (put.StatusCode, _server.Stored("notes")));
        using var deleted = await _server.Http.DeleteAsync("/api/v1/state/notes/key");
        Assert.Equal((HttpStatusCode.NoContent, null), (deleted.StatusCode, _server.Stored("notes")));
    }

    [Fact]
    public void A_snapshot_sets_back_no_keys_no_audit_log_and_nothing_that_parts_of_galaxy_say_of_themselves() =>
        Assert.Equal(
            ["access", "audit", "devices", "services"],
            All.Select(row => row.Data).Where(ns => !Namespaces.IsRestorable(ns)).Order()
        );
}
