using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Galaxy.EndToEnd.Tests.Devices;

/// <summary>
/// Three clients of the prototype's dialect, written from the description of the format alone, in another language and
/// without a library.
/// </summary>
[Collection("shared system")]
public sealed class PlainScriptTests(RunningGalaxy galaxy)
{
    private Process Start(string script, string device)
    {
        var info = new ProcessStartInfo("python3") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (
            var argument in (string[])
                [
                    Path.Combine(AppContext.BaseDirectory, "Devices", "Clients", script + ".py"),
                    $"{galaxy.Host.Url("gateway", "ws").Port}",
                    galaxy.Key,
                    device,
                ]
        )
            info.ArgumentList.Add(argument);
        return Process.Start(info)!;
    }

    private static async Task SaysAsync(Process script, string word)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var line = await script.StandardOutput.ReadLineAsync(patience.Token);
        Assert.True(
            line == word,
            $"'{line}' instead of '{word}'; "
                + $"{(script.HasExited ? await script.StandardError.ReadToEndAsync(patience.Token) : "")}"
        );
    }

    [Fact]
    public async Task A_phone_a_pc_and_a_subscriber_work_as_they_always_did()
    {
        Assert.SkipWhen(
            !(Environment.GetEnvironmentVariable("PATH") ?? "")
                .Split(Path.PathSeparator)
                .Any(folder => File.Exists(Path.Combine(folder, "python3"))),
            "the scripts need python3 on PATH"
        );
        using var status = Start("status", "old-phone");
        await SaysAsync(status, "ready");
        using var phone = Start("phone", "old-phone");
        await SaysAsync(phone, "ready");
        using var pc = Start("pc", "old-pc");
        await SaysAsync(pc, "ready");
        var known = await galaxy.Http.GetFromJsonAsync<JsonObject>("/devices/old-pc");
        Assert.Equal(
            ("windows", "A PC", 8),
            (
                known!["device_type"]!.GetValue<string>(),
                known["device_name"]!.GetValue<string>(),
                known["capabilities"]![1]!["priority"]!.GetValue<int>()
            )
        );

        using var answer = await galaxy.Http.PostAsJsonAsync(
            "/api/v1/command",
            new
            {
                command = "screenshot",
                targets = new[] { "old-phone", "old-pc" },
                @params = new { screen = 1 },
                timeout = 20,
            }
        );
        var results = (await answer.Content.ReadFromJsonAsync<JsonObject>())!["results"]!;
        Assert.Equal(
            ("done", "screenshot"),
            (
                results["old-phone"]!["status"]!.GetValue<string>(),
                results["old-phone"]!["output"]!["did"]!.GetValue<string>()
            )
        );
        Assert.Equal(
            ("done", "screen.png"),
            (
                results["old-pc"]!["status"]!.GetValue<string>(),
                results["old-pc"]!["output"]!["file"]!.GetValue<string>()
            )
        );
        await SaysAsync(phone, "done");
        await SaysAsync(pc, "done");
        await SaysAsync(status, "done");
    }
}
