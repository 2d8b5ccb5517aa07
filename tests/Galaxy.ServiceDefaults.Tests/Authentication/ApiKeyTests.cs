using System.Net;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace Galaxy.ServiceDefaults.Tests.Authentication;

/// <summary>A service with the shared defaults and one endpoint, on a real socket.</summary>
public sealed class ApiKeyTests : IAsyncLifetime
{
    private const string Key = "correct-horse";
    private WebApplication _app = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection([
            new("GALAXY_API_KEY", Key),
            new("GALAXY_BIND", "127.0.0.1"),
            new("urls", ""),
            new("HTTP_PORT", "0"),
        ]);
        var node = builder.AddServiceDefaults("test");
        builder.Listen(node, new ListenPort("HTTP_PORT", 0));
        _app = builder.Build();
        _app.UseServiceDefaults();
        _app.MapDefaultEndpoints();
        _app.MapGet("/secret", () => "42");
        await _app.StartAsync();
        _http = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string? header = null, string? value = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (header is not null)
            request.Headers.Add(header, value);
        return await _http.SendAsync(request);
    }

    [Theory]
    [InlineData("Authorization", "Bearer " + Key)]
    [InlineData("Authorization", "bearer " + Key)]
    [InlineData("X-API-Key", Key)]
    public async Task The_key_opens_the_door(string header, string value) =>
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/secret", header, value)).StatusCode);

    [Theory]
    [InlineData(null, null)]
    [InlineData("Authorization", "Bearer wrong-horse")]
    [InlineData("Authorization", "Basic " + Key)]
    [InlineData("X-API-Key", "")]
    [InlineData("X-API-Key", "CORRECT-HORSE")]
    public async Task Anything_else_does_not(string? header, string? value) =>
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync("/secret", header, value)).StatusCode);

    [Fact]
    public async Task The_key_is_not_taken_from_the_address_of_a_plain_request() =>
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync("/secret?token=" + Key)).StatusCode);

    [Fact]
    public async Task A_refusal_says_what_to_send()
    {
        var answer = await GetAsync("/secret");

        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains("Authorization: Bearer", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_liveness_check_is_open()
    {
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/alive")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync("/health")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync("/nowhere")).StatusCode);
    }
}
