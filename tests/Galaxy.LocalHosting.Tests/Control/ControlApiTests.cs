using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Galaxy.LocalHosting.Control;

namespace Galaxy.LocalHosting.Tests.Control;

public sealed class ControlApiTests : IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Only_who_can_read_the_file_steers_the_processes()
    {
        var one = new One();
        var api = await ControlApi.StartAsync(one, _folder.Path);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["runner.json"]));
        using var file = JsonDocument.Parse(await File.ReadAllTextAsync(_folder["runner.json"]));
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var http = new HttpClient(handler)
        {
            BaseAddress = new Uri(file.RootElement.GetProperty("url").GetString()!),
        };
        async Task<HttpStatusCode> PostAsync(string path)
        {
            using var answer = await http.PostAsync(new Uri(path, UriKind.Relative), null);
            return answer.StatusCode;
        }

        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync("/resources/p/kill"));
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "wrong");
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync("/resources/p/kill"));
        Assert.Empty(one.Done);

        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            file.RootElement.GetProperty("token").GetString()
        );
        Assert.Equal(HttpStatusCode.Accepted, await PostAsync("/resources/p/restart"));
        Assert.Equal(HttpStatusCode.Accepted, await PostAsync("/resources/p/kill"));
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync("/resources/q/restart"));
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync("/resources/q/kill"));
        Assert.Equal(["stop p", "start p", "kill p"], one.Done);
        Assert.Equal("first\nlast\n", await http.GetStringAsync(new Uri("/resources/p/logs", UriKind.Relative)));

        await api.DisposeAsync();
        Assert.False(File.Exists(_folder["runner.json"]));
    }

    /// <summary>A machine with one process, p.</summary>
    private sealed class One : IProcessControl
    {
        public List<string> Done { get; } = [];

        public IReadOnlyList<ProcessStatus> List() => [];

        public IReadOnlyList<string>? Output(string name) => name == "p" ? ["first", "last"] : null;

        public Task<bool> StartAsync(string name, CancellationToken cancellationToken) => Do("start", name);

        public Task<bool> StopAsync(string name, CancellationToken cancellationToken) => Do("stop", name);

        public int? Kill(string name) => Do("kill", name).Result ? 17 : null;

        private Task<bool> Do(string what, string name)
        {
            if (name == "p")
                Done.Add($"{what} {name}");
            return Task.FromResult(name == "p");
        }
    }
}
