using System.Text;
using System.Text.Json.Nodes;

namespace Galaxy.Cli.Worker.Actions;

/// <summary>Files within one folder, and nothing outside it, wherever links lead.</summary>
internal sealed class FileActions(string root)
{
    private const int MaxBytes = 512 * 1024;
    private const string Path_ = """{"type":"string","description":"relative to the worker's folder"}""";
    private readonly string _root =
        Real(Path.GetFullPath(root)).TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar;

    public IReadOnlyList<WorkerAction> All =>
        [
            new(
                "file.read",
                "A file of this machine, as text or base64",
                $$$"""{ "type":"object","required":["path"],"properties":{"path":{{{Path_}}} ,"encoding":"""
                    + $$$"""{"enum":["text","base64"],"default":"text"} } }""",
                ReadAsync
            ),
            new(
                "file.write",
                "Writes a file on this machine",
                $$$"""{ "type":"object","required":["path","content"],"properties":{"path":{{{Path_}}} """
                    + $$$""","content":{"type":"string"},"encoding":{"enum":"""
                    + $$$"""["text","base64"],"default":"text"},"append":{"type":"boolean","default":false} } }""",
                WriteAsync
            ),
        ];

    private async Task<JsonNode?> ReadAsync(ActionCall call)
    {
        var file = new FileInfo(Within(call.Text("path")));
        if (!file.Exists)
            throw new ArgumentException($"there is no file '{call.Text("path")}'");
        if (file.Length > MaxBytes)
            throw new ArgumentException(
                $"'{call.Text("path")}' has {file.Length:N0} bytes; at most {MaxBytes:N0} are read"
            );
        var bytes = await File.ReadAllBytesAsync(file.FullName, call.Cancellation);
        return new JsonObject
        {
            ["bytes"] = bytes.Length,
            ["content"] = IsBase64(call) ? Convert.ToBase64String(bytes) : Encoding.UTF8.GetString(bytes),
        };
    }

    private async Task<JsonNode?> WriteAsync(ActionCall call)
    {
        var path = Within(call.Text("path"));
        byte[] bytes;
        try
        {
            bytes = IsBase64(call)
                ? Convert.FromBase64String(call.Text("content"))
                : Encoding.UTF8.GetBytes(call.Text("content"));
        }
        catch (FormatException)
        {
            throw new ArgumentException("'content' is not base64");
        }
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // The folder may have been a link until a moment ago.
        path = Within(call.Text("path"));
        if (call.Params["append"] is JsonValue value && value.TryGetValue<bool>(out var append) && append)
        {
            await File.AppendAllBytesAsync(path, bytes, call.Cancellation);
        }
        else
        {
            // Write atomically.
            var next = $"{path}.{Guid.NewGuid():N}.part";
            try
            {
                await File.WriteAllBytesAsync(next, bytes, call.Cancellation);
                File.Move(next, path, overwrite: true);
            }
            catch
            {
                File.Delete(next);
                throw;
            }
        }
        return new JsonObject { ["bytes"] = bytes.Length };
    }

    private static bool IsBase64(ActionCall call) =>
        call.OptionalText("encoding") switch
        {
            null or "text" => false,
            "base64" => true,
            var other => throw new ArgumentException($"'encoding' is '{other}'; allowed are text and base64"),
        };

    /// <exception cref="ArgumentException">The path leads out of the folder.</exception>
    private string Within(string path)
    {
        var full = Path.GetFullPath(Path.Combine(_root, path));
        if (
            !(Real(full) + Path.DirectorySeparatorChar).StartsWith(_root, StringComparison.Ordinal)
            || full.Length < _root.Length
        )
            throw new ArgumentException($"'path' is '{path}', which leads out of the worker's folder");
        return full;
    }

    // With every link on the way followed, as far as the path exists.
    private static string Real(string path)
    {
        var real = Path.GetPathRoot(path)!;
        foreach (
            var part in path[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries)
        )
        {
            var next = Path.Combine(real, part);
            var info = Directory.Exists(next) ? (FileSystemInfo)new DirectoryInfo(next) : new FileInfo(next);
            real =
                info.LinkTarget is not null && info.ResolveLinkTarget(returnFinalTarget: true) is { } target
                    ? Real(target.FullName)
                    : next;
        }
        return real;
    }
}
