using System.Net;

namespace Galaxy.Coordinator.Tests.State;

/// <summary>What <c>If-Match</c> and <c>If-None-Match</c> promise of writing and of deleting, over HTTP.</summary>
public sealed class ConditionTests : IAsyncLifetime
{
    private StateServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await StateServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task<(HttpStatusCode Status, string? Etag)> SendAsync(
        string method,
        string? value = null,
        string header = "If-Match",
        string? condition = null
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/api/v1/state/notes/key");
        if (value is not null)
            request.Content = StateServer.Json(value);
        if (condition is not null)
            request.Headers.TryAddWithoutValidation(header, condition);
        using var answer = await _server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer.StatusCode, answer.Headers.TryGetValues("ETag", out var etags) ? Assert.Single(etags) : null);
    }

    [Theory]
    [InlineData("PUT", "3", "3")]
    [InlineData("DELETE", null, null)]
    public async Task What_has_changed_since_it_was_read_is_neither_overwritten_nor_deleted(
        string method,
        string? value,
        string? after
    )
    {
        var (_, old) = await SendAsync("PUT", "1");
        var (_, now) = await SendAsync("PUT", "2");
        Assert.NotEqual(old, now);

        Assert.Equal(HttpStatusCode.PreconditionFailed, (await SendAsync(method, value, condition: old)).Status);
        Assert.Equal("2", _server.Stored("notes"));

        Assert.InRange((int)(await SendAsync(method, value, condition: now)).Status, 200, 204);
        Assert.Equal(after, _server.Stored("notes"));
    }

    [Theory]
    [InlineData("PUT", "1")]
    [InlineData("DELETE", null)]
    public async Task Any_entry_is_asked_for_by_a_star_and_none_is_not_enough(string method, string? value)
    {
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await SendAsync(method, value, condition: "*")).Status);
        Assert.Null(_server.Stored("notes"));

        await SendAsync("PUT", "2");
        Assert.InRange((int)(await SendAsync(method, value, condition: "*")).Status, 200, 204);
        Assert.Equal(value, _server.Stored("notes"));
    }

    [Theory]
    [InlineData("PUT", "2")]
    [InlineData("DELETE", null)]
    public async Task What_must_not_exist_and_does_is_left_alone(string method, string? value)
    {
        await SendAsync("PUT", "1");

        Assert.Equal(HttpStatusCode.PreconditionFailed, (await SendAsync(method, value, "If-None-Match", "*")).Status);
        Assert.Equal("1", _server.Stored("notes"));
    }
}
