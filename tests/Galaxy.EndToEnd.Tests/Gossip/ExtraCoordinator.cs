using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Galaxy.EndToEnd.Tests.Gossip;

/// <summary>One more coordinator of a running system, started as its coordinator-a was, but for what is said here.</summary>
internal sealed class ExtraCoordinator : IDisposable
{
    private readonly Process _process;
    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-extra-").FullName;
    private readonly ConcurrentQueue<string> _lines = new();

    /// <param name="shell">Run by bash before the program takes its place; it may set limits.</param>
    public ExtraCoordinator(RunningGalaxy galaxy, string nodeId, string shell = "")
    {
        var model = galaxy.Host.ProcessId("coordinator-a")!.Value;
        var (http, grpc) = (FreePort(), FreePort());
        Url = new Uri($"http://127.0.0.1:{http}");
        var info = new ProcessStartInfo("/bin/bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        info.Environment.Clear();
        foreach (var pair in File.ReadAllText($"/proc/{model}/environ").Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)))
            info.Environment[pair[0]] = pair[1];
        // The ports, however the model was told of them.
        foreach (var name in info.Environment.Keys.Where(name => name.EndsWith("_PORT", StringComparison.Ordinal) || name.StartsWith("ASPNETCORE_", StringComparison.Ordinal)).ToList())
            info.Environment.Remove(name);
        info.Environment["HTTP_PORT"] = $"{http}";
        info.Environment["GRPC_PORT"] = $"{grpc}";
        info.Environment["Galaxy_NODE_ID"] = nodeId;
        info.Environment["GALAXY_DATA"] = _data;
        var command = File.ReadAllText($"/proc/{model}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries);
        info.ArgumentList.Add("-c");
        info.ArgumentList.Add($"{shell}\nexec \"$@\"");
        info.ArgumentList.Add("bash");
        foreach (var word in command)
            info.ArgumentList.Add(word);
        _process = Process.Start(info)!;
        _process.OutputDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public Uri Url { get; }

    public bool HasEnded => _process.HasExited;

    /// <summary>Everything it said.</summary>
    public string Output => string.Join('\n', _lines);

    public async Task<int> ExitCodeAsync(TimeSpan patience)
    {
        await _process.WaitForExitAsync().WaitAsync(patience);
        return _process.ExitCode;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_data, recursive: true);
    }
}
