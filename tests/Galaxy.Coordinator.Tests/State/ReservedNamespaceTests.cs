using System.Net;
using System.Reflection;
using System.Text;
using Galaxy.Coordinator.Http;
using Galaxy.Coordinator.Replica;
using Galaxy.Core.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Galaxy.Coordinator.Tests.State;

/// <summary>The state's own API over HTTP: it writes into no namespace of Galaxy's, whichever there are.</summary>
public sealed class ReservedNamespaceTests : IAsyncLifetime
{
    private readonly OneReplica _replica = new("a");
    private readonly WebApplication _app;
    private readonly HttpClient _http = new();

    public ReservedNamespaceTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(_replica.Replica);
        _app = builder.Build();
        _app.MapStateApi();
        _app.MapConflictApi();
    }

    /// <summary>Every constant: a new one cannot be forgotten.</summary>
    public static TheoryData<string> All =>
        [
            .. typeof(Namespaces)
                .GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)
                .Where(one => one.IsLiteral && one.FieldType == typeof(string))
                .Select(one => (string)one.GetRawConstantValue()!),
        ];

    public async ValueTask InitializeAsync()
    {
        _app.Urls.Add("http://127.0.0.1:0");
        await _app.StartAsync();
        _http.BaseAddress = new Uri(_app.Urls.Single());
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
        _replica.Dispose();
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private string? Stored(string ns) =>
        _replica.Replica.Get(ns, "key") is { } entry ? Encoding.UTF8.GetString(entry.Value.Span) : null;

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_namespace_of_galaxys_own_takes_no_value_and_loses_none(string ns)
    {
        _replica.Replica.Put(ns, "key", "1"u8.ToArray());

        using var put = await _http.PutAsync($"/api/v1/state/{ns}/key", Json("2"));
        using var disguised = await _http.PutAsync($"/api/v1/state/%{(int)ns[0]:X2}{ns[1..]}/key", Json("2"));
        using var deleted = await _http.DeleteAsync($"/api/v1/state/{ns}/key");

        Assert.Equal(
            (HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden),
            (put.StatusCode, disguised.StatusCode, deleted.StatusCode)
        );
        Assert.Equal("1", Stored(ns));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_conflict_is_decided_by_value_in_no_namespace_of_galaxys_own(string ns)
    {
        using var other = new OneReplica("b");
        foreach (var (replica, value) in new[] { (_replica, "1"), (other, "2") })
            replica.Replica.Write(
                new EntryId(ns, "key"),
                new StateWrite(Encoding.UTF8.GetBytes(value), ConflictPolicy.Manual)
            );
        _replica.Hear(other);
        Assert.True(_replica.Replica.Get(ns, "key")!.IsContested);

        using var answer = await _http.PostAsync($"/api/v1/state/conflicts/{ns}/key", Json("""{"value":3}"""));

        Assert.Equal(ns == Namespaces.Config ? HttpStatusCode.BadRequest : HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.True(_replica.Replica.Get(ns, "key")!.IsContested);
    }

    [Fact]
    public async Task Other_namespaces_are_written_and_deleted()
    {
        using var put = await _http.PutAsync("/api/v1/state/notes/key", Json("2"));
        Assert.Equal((HttpStatusCode.OK, "2"), (put.StatusCode, Stored("notes")));
        using var deleted = await _http.DeleteAsync("/api/v1/state/notes/key");
        Assert.Equal((HttpStatusCode.NoContent, null), (deleted.StatusCode, Stored("notes")));
    }

    [Fact]
    public void A_snapshot_sets_back_no_keys_no_audit_log_and_nothing_that_parts_of_galaxy_say_of_themselves() =>
        Assert.Equal(
            ["access", "audit", "devices", "services"],
            All.Select(row => row.Data).Where(ns => !Namespaces.IsRestorable(ns)).Order()
        );
}
