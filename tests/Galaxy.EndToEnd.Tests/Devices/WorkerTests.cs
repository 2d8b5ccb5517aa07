using System.Diagnostics;
using System.Net.Http.Json;
using Galaxy.Contracts.Api;
using Galaxy.ServiceDefaults.Input;

namespace Galaxy.EndToEnd.Tests.Devices;

/// <summary><c>galaxy worker</c> with what a person may allow it: programs, files, plug-ins.</summary>
[Collection("shared system")]
public sealed class WorkerTests(RunningGalaxy galaxy)
{
    private const string Plugin = """
        #!/bin/sh
        read input
        echo '{"progress":0.5}'
        sleep 0.3
        case "$input" in *fail*) echo '{"error":"as you wish"}';; *) echo "{\"result\":{\"heard\":$input}}";; esac
        """;

    private Process Start(string id, params string[] options)
    {
        var info = new ProcessStartInfo(Repository.Galaxy)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (
            var argument in (string[])
                [
                    "worker",
                    "--id",
                    id,
                    "--master",
                    $"ws://127.0.0.1:{galaxy.Host.Url("gateway", "ws").Port}",
                    .. options,
                ]
        )
            info.ArgumentList.Add(argument);
        info.Environment["GALAXY_API_KEY"] = galaxy.Key;
        var process = Process.Start(info)!;
        process.BeginOutputReadLine();
        return process;
    }

    private async Task<TaskView> RunAsync(string device, string action, object parameters, int attempts = 1) =>
        await galaxy.FinishedAsync(
            await galaxy.SubmitAsync(
                new
                {
                    action,
                    target_device = device,
                    @params = parameters,
                    max_attempts = attempts,
                }
            )
        );

    [Fact]
    public async Task It_does_what_it_is_allowed_to_and_nothing_else()
    {
        var folder = Directory.CreateTempSubdirectory("galaxy-worker-");
        var plugin = Path.Combine(folder.FullName, "plugin.sh");
        await File.WriteAllTextAsync(plugin, Plugin.Replace("\r", "", StringComparison.Ordinal));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(plugin, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var files = folder.CreateSubdirectory("files");
        using var worker = Start(
            "handy",
            "--allow-shell",
            "--shell-allow",
            "uname",
            "cat",
            "--files",
            files.FullName,
            "--label",
            "room=attic",
            "--location",
            "home/attic",
            "--capability",
            "echo",
            "shell.run",
            "file.read",
            "file.write",
            $"exec:ask.me={plugin}"
        );
        try
        {
            await Eventually.TrueAsync(async () =>
                (await galaxy.Http.GetAsync("/api/v1/devices/handy")).IsSuccessStatusCode
            );
            var device = (await galaxy.Http.GetFromJsonAsync<DeviceView>("/api/v1/devices/handy", GalaxyJson.Options))!;
            Assert.Equal(("home/attic", "room=attic"), (device.Location, device.Tags![0]));
            Assert.Equal(
                ["ask.me", "echo", "file.read", "file.write", "shell.run"],
                device.Capabilities.Select(one => one.Name).Order()
            );
            Assert.All(device.Capabilities, one => Assert.NotNull(one.Parameters));

            Assert.Equal(
                "Linux",
                (await RunAsync("handy", "shell.run", new { command = "uname" }))
                    .Result!.Value.GetProperty("stdout")
                    .GetString()!
                    .Trim()
            );
            Assert.Equal(
                "in",
                (await RunAsync("handy", "shell.run", new { command = "cat", input = "in" }))
                    .Result!.Value.GetProperty("stdout")
                    .GetString()!
                    .Trim()
            );
            Assert.Contains(
                "allows uname, cat",
                (await RunAsync("handy", "shell.run", new { command = "rm", args = new[] { "-rf", "/" } })).Error,
                StringComparison.Ordinal
            );

            Assert.Equal(
                TaskState.Completed,
                (await RunAsync("handy", "file.write", new { path = "notes/a.txt", content = "hello" })).State
            );
            Assert.Equal(
                "hello",
                (await RunAsync("handy", "file.read", new { path = "notes/a.txt" }))
                    .Result!.Value.GetProperty("content")
                    .GetString()
            );
            File.CreateSymbolicLink(Path.Combine(files.FullName, "door"), "/etc");
            foreach (var way in (string[])["../plugin.sh", "/etc/hostname", "door/hostname", "notes/../../plugin.sh"])
                Assert.Contains(
                    "leads out",
                    (await RunAsync("handy", "file.read", new { path = way })).Error,
                    StringComparison.Ordinal
                );
            Assert.Contains(
                "leads out",
                (await RunAsync("handy", "file.write", new { path = "../x", content = "" })).Error,
                StringComparison.Ordinal
            );

            Assert.Equal(
                7,
                (await RunAsync("handy", "ask.me", new { n = 7 }))
                    .Result!.Value.GetProperty("heard")
                    .GetProperty("n")
                    .GetInt32()
            );
            Assert.Equal("as you wish", (await RunAsync("handy", "ask.me", new { please = "fail" })).Error);
            Assert.Contains(
                "does not offer",
                (await RunAsync("handy", "sleep", new { seconds = 1 })).Error,
                StringComparison.Ordinal
            );

            // Draining: what runs is finished, then it goes.
            var last = await galaxy.SubmitAsync(new { action = "ask.me", target_device = "handy" });
            await Eventually.TrueAsync(async () =>
                (await galaxy.Http.GetFromJsonAsync<TaskView>("/api/v1/tasks/" + last, GalaxyJson.Options))!.State
                    is TaskState.Running
                        or TaskState.Completed
            );
            using var terminate = Process.Start("kill", ["-TERM", $"{worker.Id}"]);
            await worker.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
            Assert.Equal((0, TaskState.Completed), (worker.ExitCode, (await galaxy.FinishedAsync(last)).State));
        }
        finally
        {
            if (!worker.HasExited)
                worker.Kill();
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("--allow-shell", "--capability", "shell.run")]
    [InlineData("--files", "--capability", "file.read")]
    [InlineData("exec:name=program", "--capability", "exec:nothing")]
    [InlineData("--shell-allow needs", "--shell-allow", "ls")]
    [InlineData("no folder", "--files", "/no/such/folder")]
    public async Task What_is_wrong_is_said_in_one_sentence(string complaint, params string[] options)
    {
        using var worker = Start("wrong", options);
        var said = await worker.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(20));
        await worker.WaitForExitAsync();

        Assert.NotEqual(0, worker.ExitCode);
        Assert.Contains(complaint, said, StringComparison.Ordinal);
        Assert.Single(said.Trim().Split('\n'));
    }
}
