using System.Net.Http.Headers;

namespace Galaxy.Bench.Gateway;

/// <summary>A way to the upstream.</summary>
/// <param name="Http">Where wrk asks.</param>
/// <param name="Socket">Where a WebSocket is opened that answers what it is sent.</param>
internal sealed record Way(string Name, string Http, string Socket);

/// <summary>nginx as the upstream of requests, an echo as that of sockets, and four proxies before them.</summary>
internal sealed class Proxies : IAsyncDisposable
{
    public const string Key = "gx-bench-key-0123456789";

    private const int Upstream = 27601,
        Echo = 27602,
        Nginx = 27603,
        HaProxy = 27604,
        Yarp = 27605,
        Store = 27606,
        Coordinator = 27607,
        Grpc = 27608,
        Galaxy = 27609;

    private readonly List<PeerProcess> _processes = [];
    private readonly string _data = Directory.CreateTempSubdirectory("galaxy-bench-").FullName;

    public static IReadOnlyList<Way> Ways { get; } =
    [
        new("direct", $"http://127.0.0.1:{Upstream}/route/bench", $"ws://127.0.0.1:{Echo}/api/v1/discovery/echo"),
        new("yarp", $"http://127.0.0.1:{Yarp}/route/bench", $"ws://127.0.0.1:{Yarp}/api/v1/discovery/echo"),
        new("nginx", $"http://127.0.0.1:{Nginx}/route/bench", $"ws://127.0.0.1:{Nginx}/api/v1/discovery/echo"),
        new("haproxy", $"http://127.0.0.1:{HaProxy}/route/bench", $"ws://127.0.0.1:{HaProxy}/api/v1/discovery/echo"),
        new("galaxy", $"http://127.0.0.1:{Galaxy}/route/bench", $"ws://127.0.0.1:{Galaxy}/api/v1/discovery/echo"),
    ];

    /// <summary>The gateway's process; null before <see cref="StartAsync"/>.</summary>
    public PeerProcess? Gateway { get; private set; }

    /// <summary>The only coordinator's process.</summary>
    public PeerProcess? Leader { get; private set; }

    public Uri GatewayUrl { get; } = new($"http://127.0.0.1:{Galaxy}");

    public async Task StartAsync()
    {
        Write(
            "upstream.conf",
            $$"""
            worker_processes 1; daemon off; pid {{_data}}/upstream.pid; error_log /dev/null crit;
            events { worker_connections 4096; }
            http { access_log off; keepalive_requests 1000000000;
              server { listen 127.0.0.1:{{Upstream}} backlog=4096; location / { default_type application/json; return 200 '{"id":"service-000","url":"http://127.0.0.1:1","status":"healthy"}'; } } }
            """
        );
        Write(
            "nginx.conf",
            $$"""
            worker_processes 2; daemon off; pid {{_data}}/nginx.pid; error_log /dev/null crit;
            events { worker_connections 4096; }
            http { access_log off; keepalive_requests 1000000000;
              upstream plain { server 127.0.0.1:{{Upstream}}; keepalive 128; keepalive_requests 1000000000; }
              map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
              server { listen 127.0.0.1:{{Nginx}} backlog=4096; proxy_http_version 1.1; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
                location /api/ { proxy_pass http://127.0.0.1:{{Echo}}; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_read_timeout 600s; }
                location / { proxy_pass http://plain; proxy_set_header Connection ""; } } }
            """
        );
        Write(
            "haproxy.cfg",
            $"""
            global
              nbthread 2
              maxconn 8192
            defaults
              mode http
              timeout connect 2s
              timeout client 600s
              timeout server 600s
              timeout tunnel 600s
              http-reuse always
            frontend in
              bind 127.0.0.1:{HaProxy}
              option forwardfor
              use_backend echo if {"{"} path_beg /api/ {"}"}
              default_backend plain
            backend plain
              server one 127.0.0.1:{Upstream}
            backend echo
              server one 127.0.0.1:{Echo}

            """
        );
        Start("nginx", [], "-p", _data, "-c", Path.Combine(_data, "upstream.conf"));
        Start("nginx", [], "-p", _data, "-c", Path.Combine(_data, "nginx.conf"));
        Start("haproxy", [], "-f", Path.Combine(_data, "haproxy.cfg"));
        Start("dotnet", [], typeof(Proxies).Assembly.Location, "echo", $"{Echo}");
        Start("dotnet", [], typeof(Proxies).Assembly.Location, "yarp", $"{Yarp}", $"{Upstream}", $"{Echo}");
        Start(Ours("Galaxy.Store"), [], "--port", $"{Store}", "--data", Path.Combine(_data, "store"));
        var common = new Dictionary<string, string>
        {
            ["GALAXY_API_KEY"] = Key,
            ["GALAXY_BIND"] = "127.0.0.1",
            ["GALAXY_COORDINATORS"] = $"http://127.0.0.1:{Grpc}",
        };
        Leader = Start(
            Ours("Galaxy.Coordinator"),
            new(common)
            {
                ["Galaxy_NODE_ID"] = "node-a",
                ["GALAXY_DATA"] = Path.Combine(_data, "node-a"),
                ["HTTP_PORT"] = $"{Coordinator}",
                ["GRPC_PORT"] = $"{Grpc}",
                ["ConnectionStrings__redis"] = $"127.0.0.1:{Store}",
            }
        );
        Gateway = Start(
            Ours("Galaxy.Gateway"),
            new(common)
            {
                ["Galaxy_NODE_ID"] = "gateway",
                ["WEB_UI_PORT"] = $"{Galaxy}",
                ["API_PORT"] = $"{Galaxy + 1}",
                ["WEBSOCKET_PORT"] = $"{Galaxy + 2}",
                ["services__router-a__http__0"] = $"http://127.0.0.1:{Upstream}",
                ["services__discovery__http__0"] = $"http://127.0.0.1:{Echo}",
            }
        );
        foreach (var way in Ways)
            await AnswersAsync(way.Http);
        await AnswersAsync($"{GatewayUrl}api/v1/cluster");
    }

    public static HttpClient Client()
    {
        var http = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return http;
    }

    /// <summary>Returns when the gateway has noticed that nobody leads.</summary>
    public async Task NoLeaderAsync()
    {
        using var http = Client();
        for (
            var deadline = DateTimeOffset.UtcNow.AddSeconds(30);
            DateTimeOffset.UtcNow < deadline;
            await Task.Delay(50)
        )
        {
            using var health = await http.GetAsync(new Uri(GatewayUrl, "/health"));
            if (!health.IsSuccessStatusCode)
                return;
        }
        throw new TimeoutException("the gateway still says that somebody leads");
    }

    private static async Task AnswersAsync(string url)
    {
        using var http = Client();
        for (var deadline = DateTimeOffset.UtcNow.AddSeconds(60); ; await Task.Delay(50))
        {
            try
            {
                using var answer = await http.GetAsync(url);
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (HttpRequestException)
            {
                // Not there yet.
            }
            if (DateTimeOffset.UtcNow > deadline)
                throw new TimeoutException($"{url} was not served within 60 s");
        }
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_data, name), text);

    private static string Ours(string project) =>
        Path.Combine(Environment.CurrentDirectory, project, "bin", "Release", "net10.0", project);

    private PeerProcess Start(string program, Dictionary<string, string> environment, params string[] arguments)
    {
        var process = new PeerProcess(program, () => arguments, environment);
        process.Start();
        _processes.Add(process);
        return process;
    }

    public async ValueTask DisposeAsync()
    {
        // nginx's workers end with their master when it is asked, not when it is killed.
        foreach (var nginx in _processes.Take(2))
            nginx.Signal(PeerProcess.Terminate);
        foreach (var process in Enumerable.Reverse(_processes))
            await process.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }
}
