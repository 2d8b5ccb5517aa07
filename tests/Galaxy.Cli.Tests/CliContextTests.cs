using System.CommandLine;
using System.Text.Json;

namespace Galaxy.Cli.Tests;

public sealed class CliContextTests
{
    private static CliContext Create(string url, TimeSpan? patience = null)
    {
        var root = new RootCommand();
        root.Options.Add(CliContext.UrlOption);
        root.Options.Add(CliContext.KeyOption);
        return CliContext.Create(root.Parse(["--url", url, "--api-key", "a-key-of-a-test"]), patience);
    }

    private static async Task<string> SaysAsync(OneServer server, TimeSpan? patience = null)
    {
        using var context = Create(server.Url, patience);
        return (
            await Assert.ThrowsAsync<CliException>(() =>
                context.GetAsync<Dictionary<string, string>>("/api/v1/cluster", default)
            )
        ).Message;
    }

    [Theory]
    [InlineData("127.0.0.1:8000")]
    [InlineData("localhost:8000")]
    [InlineData("ws://localhost:8765")]
    public void An_address_that_is_none_is_named(string url) =>
        Assert.Contains(
            $"--url is '{url}'",
            Assert.Throws<CliException>(() => Create(url)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(404, """{"detail":"There is no task 'x'."}""", "There is no task 'x'.")]
    [InlineData(429, """{"error":{"message":"Too fast."}}""", "Too fast.")]
    [InlineData(502, "<html>", "The cluster answered 502: <html>")]
    [InlineData(500, "[1]", "The cluster answered 500: [1]")]
    [InlineData(500, "\"oh\"", "The cluster answered 500: \"oh\"")]
    [InlineData(500, """{"detail":{"a":1}}""", """The cluster answered 500: {"detail":{"a":1}}""")]
    public async Task A_refusal_is_told_in_the_servers_words(int status, string body, string says)
    {
        await using var server = await OneServer.StartAsync(status, body);

        Assert.Equal(says, await SaysAsync(server));
    }

    [Fact]
    public async Task A_wrong_key_is_told_with_where_the_right_one_goes()
    {
        await using var server = await OneServer.StartAsync(401, """{"detail":"The key is wrong."}""");

        Assert.Matches("^The cluster refuses the key: The key is wrong. .*GALAXY_API_KEY", await SaysAsync(server));
    }

    [Fact]
    public async Task What_is_no_galaxy_is_said_to_be_none()
    {
        await using var server = await OneServer.StartAsync(200, "<html>Welcome</html>");

        Assert.StartsWith(
            $"What answers at {server.Url}/ is no Galaxy",
            await SaysAsync(server),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Who_takes_too_long_is_named_and_a_person_who_stops_is_not_told_so()
    {
        await using var server = await OneServer.StartAsync(context =>
            Task.Delay(Timeout.Infinite, context.RequestAborted)
        );

        Assert.Equal(
            $"{server.Url}/ has not answered within 0.1 s.",
            await SaysAsync(server, TimeSpan.FromMilliseconds(100))
        );
        using var context = Create(server.Url);
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            context.GetAsync<Dictionary<string, string>>("/", stop.Token)
        );
    }

    [Theory]
    [InlineData("[1]", "--params must be a JSON object")]
    [InlineData("{", "--params is not JSON")]
    public void Parameters_are_an_object(string text, string says) =>
        Assert.StartsWith(
            says,
            Assert.Throws<CliException>(() => CliContext.ParseObject("--params", text)).Message,
            StringComparison.Ordinal
        );
}
