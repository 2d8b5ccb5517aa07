using System.Text.Json.Nodes;
using Galaxy.Cli.Worker.Actions;

namespace Galaxy.Cli.Tests.Worker.Actions;

public sealed class FileActionsTests : IDisposable
{
    private readonly Folder _folder = new();
    private readonly Folder _elsewhere = new();

    public void Dispose()
    {
        _folder.Dispose();
        _elsewhere.Dispose();
    }

    private Task<JsonNode?> RunAsync(string action, JsonObject parameters) =>
        new FileActions(_folder.Path)
            .All.Single(one => one.Name == action)
            .RunAsync(new ActionCall(parameters, _ => { }, default));

    private Task<JsonNode?> ReadAsync(string path) => RunAsync("file.read", new() { ["path"] = path });

    private Task<JsonNode?> WriteAsync(string path, string content = "x") =>
        RunAsync("file.write", new() { ["path"] = path, ["content"] = content });

    [Fact]
    public async Task Nothing_outside_the_folder_is_read_or_written_wherever_links_lead()
    {
        await File.WriteAllTextAsync(_elsewhere["secret"], "secret");
        // Its name begins as the folder's does.
        var beside = _folder.Path + "-beside";
        Directory.CreateSymbolicLink(_folder["link"], _elsewhere.Path);
        File.CreateSymbolicLink(_folder["file"], _elsewhere["secret"]);
        File.CreateSymbolicLink(_folder["dangling"], _elsewhere["new"]);
        File.CreateSymbolicLink(_folder["twice"], _folder["file"]);

        foreach (
            var path in (string[])
                [
                    "../x",
                    "a/../../x",
                    _elsewhere["secret"],
                    beside,
                    "../" + Path.GetFileName(beside),
                    "link/secret",
                    "link/new",
                    "file",
                    "dangling",
                    "twice",
                    ".",
                    "..",
                ]
        )
        {
            foreach (var action in (Func<Task>[])[() => ReadAsync(path), () => WriteAsync(path)])
                Assert.Contains(
                    "leads out of the worker's folder",
                    (await Assert.ThrowsAsync<ArgumentException>(action)).Message,
                    StringComparison.Ordinal
                );
        }
        Assert.Equal(["secret"], Directory.GetFiles(_elsewhere.Path).Select(Path.GetFileName));
        Assert.Equal("secret", await File.ReadAllTextAsync(_elsewhere["secret"]));
    }

    [Fact]
    public async Task A_worker_whose_folder_is_reached_by_a_link_works_in_it()
    {
        Directory.CreateSymbolicLink(_elsewhere["link"], _folder.Path);
        await File.WriteAllTextAsync(_folder["a"], "hi");
        var action = new FileActions(_elsewhere["link"]).All.Single(one => one.Name == "file.read");

        var read = await action.RunAsync(new ActionCall(new JsonObject { ["path"] = "a" }, _ => { }, default));

        Assert.Equal("hi", (string?)read!["content"]);
    }

    [Fact]
    public async Task Half_a_mebibyte_is_read_and_one_byte_more_is_not()
    {
        await File.WriteAllBytesAsync(_folder["most"], new byte[512 * 1024]);
        await File.WriteAllBytesAsync(_folder["more"], new byte[(512 * 1024) + 1]);

        Assert.Equal(512 * 1024, (int)(await ReadAsync("most"))!["bytes"]!);
        Assert.Contains(
            "at most 524,288",
            (await Assert.ThrowsAsync<ArgumentException>(() => ReadAsync("more"))).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Bytes_go_through_base64_and_what_is_none_changes_nothing()
    {
        await RunAsync(
            "file.write",
            new()
            {
                ["path"] = "a/b",
                ["content"] = "/wA=",
                ["encoding"] = "base64",
            }
        );
        var read = await RunAsync("file.read", new() { ["path"] = "a/b", ["encoding"] = "base64" });
        Assert.Equal((2, "/wA="), ((int)read!["bytes"]!, (string?)read["content"]));

        foreach (var encoding in (string[])["base64", "hex"])
            await Assert.ThrowsAsync<ArgumentException>(() =>
                RunAsync(
                    "file.write",
                    new()
                    {
                        ["path"] = "a/b",
                        ["content"] = "?",
                        ["encoding"] = encoding,
                    }
                )
            );
        Assert.Equal([255, 0], await File.ReadAllBytesAsync(_folder["a/b"]));
    }

    [Fact]
    public async Task What_cannot_be_put_in_its_place_leaves_nothing_behind()
    {
        Directory.CreateDirectory(_folder["sub/folder"]);

        await Assert.ThrowsAnyAsync<Exception>(() => WriteAsync("sub"));

        Assert.Equal(["sub"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_file_is_replaced_or_appended_to()
    {
        await WriteAsync("a", "one");
        await RunAsync(
            "file.write",
            new()
            {
                ["path"] = "a",
                ["content"] = "two",
                ["append"] = true,
            }
        );
        Assert.Equal("onetwo", await File.ReadAllTextAsync(_folder["a"]));

        await WriteAsync("a", "three");
        Assert.Equal("three", await File.ReadAllTextAsync(_folder["a"]));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }
}
