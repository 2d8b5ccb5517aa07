using System.Text;
using System.Text.Json.Nodes;

namespace Galaxy.OneApi.Tests.Sdks;

/// <summary>Official clients of every dialect on upstreams of every dialect, none of which we wrote.</summary>
public sealed class SdkTests(Npm npm)
{
    [Fact]
    public async Task Official_javascript_clients_find_every_provider_as_if_it_were_their_own()
    {
        Assert.SkipUnless(Npm.Absent is null, Npm.Absent ?? "");
        await using var server = await npm.ServerAsync();
        using var clients = Npm.Start("node", "clients.mjs", server.Url.ToString().TrimEnd('/'), OneApiServer.Key);
        var errors = clients.StandardError.ReadToEndAsync();
        var failures = new StringBuilder();
        var checks = 0;
        while (await clients.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(90)) is { } line)
        {
            if (!line.StartsWith('{') || JsonNode.Parse(line) is not { } said)
                continue;
            checks++;
            if (!said["ok"]!.GetValue<bool>())
                failures.AppendLine($"{said["name"]}: {said["detail"]}");
        }
        await clients.WaitForExitAsync();

        Assert.True(clients.ExitCode == 0, await errors);
        Assert.True(failures.Length == 0, failures.ToString());
        Assert.True(checks > 90, $"{checks} checks");
    }
}
