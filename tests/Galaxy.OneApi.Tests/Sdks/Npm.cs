using System.Diagnostics;

[assembly: AssemblyFixture(typeof(Galaxy.OneApi.Tests.Sdks.Npm))]

namespace Galaxy.OneApi.Tests.Sdks;

/// <summary>
/// Programs in JavaScript, with the packages that they need. One for the whole assembly: two that install into the same
/// folder at once destroy each other's work.
/// </summary>
public sealed class Npm : IAsyncLifetime
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Sdks", "Client");

    private Process? _mocks;

    public static string? Absent { get; } =
        IsOnPath("node") && IsOnPath("npm") ? null : "needs node and npm on PATH (Debian: nodejs, npm)";

    /// <summary>The upstreams' addresses.</summary>
    public System.Text.Json.Nodes.JsonNode Mocks { get; private set; } = null!;

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)));

    public static Process Start(string program, params string[] arguments) =>
        Process.Start(
            new ProcessStartInfo(program, arguments)
            {
                WorkingDirectory = Folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                RedirectStandardInput = true,
            }
        )!;

    public async ValueTask InitializeAsync()
    {
        if (Absent is not null)
            return;
        using (var install = Start("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"))
        {
            await install.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(5));
            Assert.True(install.ExitCode == 0, "npm install: " + await install.StandardError.ReadToEndAsync());
        }
        _mocks = Start("node", "mocks.mjs");
        var line = await _mocks.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Mocks = System.Text.Json.Nodes.JsonNode.Parse(
            line ?? throw new InvalidOperationException(await _mocks.StandardError.ReadToEndAsync())
        )!;
    }

    /// <summary>OneApi with the upstreams as providers of every dialect.</summary>
    public Task<OneApiServer> ServerAsync()
    {
        var aimock = Mocks["aimock"]!.GetValue<string>();
        return OneApiServer.StartAsync(
            ("OneApi:Providers:oai:BaseUrl", aimock + "/v1"),
            ("OneApi:Providers:oai:ApiKey", "sk-mock-0123456789abcdef"),
            ("OneApi:Providers:oai:Responses", "true"),
            ("OneApi:Providers:ant:BaseUrl", aimock + "/v1"),
            ("OneApi:Providers:ant:Dialect", "anthropic"),
            ("OneApi:Providers:ant:ApiKey", "sk-ant-0123456789abcdef"),
            ("OneApi:Providers:gem:BaseUrl", aimock + "/v1beta"),
            ("OneApi:Providers:gem:Dialect", "gemini"),
            ("OneApi:Providers:gem:ApiKey", "AIza0123456789abcdef"),
            ("OneApi:Providers:other:BaseUrl", Mocks["mockllm"]!.GetValue<string>() + "/v1")
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_mocks is null)
            return;
        _mocks.StandardInput.Close();
        await _mocks.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        _mocks.Dispose();
    }
}
