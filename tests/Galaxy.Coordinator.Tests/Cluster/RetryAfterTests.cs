using System.Net;
using System.Text.Json.Nodes;
using Galaxy.Coordinator.Cluster;
using Galaxy.Coordinator.Failover;
using Galaxy.Coordinator.Http;
using Galaxy.Coordinator.Leadership;
using Galaxy.Coordinator.Node;
using Galaxy.Coordinator.Storage;
using Galaxy.Coordinator.Tasks;
using Galaxy.ServiceDefaults.Hosting;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Galaxy.Coordinator.Tests.Cluster;

/// <summary>
/// Whoever is told to try again is told when, and a gateway whether the request may have been carried out: over HTTP,
/// by a coordinator that knows of no leader.
/// </summary>
public sealed class RetryAfterTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("galaxy-retry-").FullName;
    private readonly WebApplication _app;
    private readonly HttpClient _http = new();

    public RetryAfterTests()
    {
        var (time, node) = (TimeProvider.System, new NodeOptions { NodeId = "a", DataFolder = _folder });
        var identity = new Identity(new ListenAddresses("127.0.0.1", [1, 2]), time);
        // The election does not run: neither store nor other nodes are asked.
        var elector = new Elector(
            null!,
            null!,
            new TokenFile(node, NullLogger<TokenFile>.Instance),
            identity,
            node,
            new FailoverTracker(node, identity, time),
            time,
            NullLogger<Elector>.Instance
        );
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(elector);
        _app = builder.Build();
        _app.UseLeaderErrors();
        _app.MapGet("/leaders-only", () => "served").RequireLeader();
        _app.MapGet("/lost-leadership", IResult () => throw new NotLeaderException());
        _app.MapGet("/lost-store", IResult () => throw new StoreUnavailableException(new TimeoutException()));
        var tasks = _app.MapGroup("").AddEndpointFilter(TaskErrors.ExplainAsync);
        tasks.MapGet("/rush", IResult () => throw new TaskQueueFullException());
        tasks.MapGet("/many-tasks", IResult () => throw new TaskQueueFullException("Many.") { IsOfTasks = true });
    }

    public async ValueTask InitializeAsync()
    {
        _app.Urls.Add("http://127.0.0.1:0");
        await _app.StartAsync(TestContext.Current.CancellationToken);
        _http.BaseAddress = new Uri(_app.Urls.Single());
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("/leaders-only", 1, "no", "No leader")]
    [InlineData("/lost-leadership", 1, "no", "No leader")]
    [InlineData("/lost-store", 1, "unknown", "Store unavailable")]
    [InlineData("/rush", 1, null, "Service Unavailable")]
    [InlineData("/many-tasks", 30, null, "Service Unavailable")]
    public async Task Who_is_to_try_again_is_told_when_and_whether_it_may_have_been_done(
        string path,
        int seconds,
        string? executed,
        string title
    )
    {
        using var answer = await _http.GetAsync(path, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(seconds), answer.Headers.RetryAfter?.Delta);
        Assert.Equal(
            executed,
            answer.Headers.TryGetValues("X-Galaxy-Executed", out var said) ? Assert.Single(said) : null
        );
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Equal(title, (string?)problem["title"]);
    }
}
