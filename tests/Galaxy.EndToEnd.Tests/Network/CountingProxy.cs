using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Galaxy.EndToEnd.Tests.Network;

/// <summary>
/// A proxy that keeps the first line of each request and answers all of them itself, as a model would; tunnels are
/// refused.
/// </summary>
internal sealed class CountingProxy : IDisposable
{
    private const string Completion =
        """{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":"""
        + """0,"message":{"role":"assistant","content":"through the """
        + """proxy"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":"""
        + """1,"total_tokens":4}}""";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public CountingProxy()
    {
        _listener.Start();
        Url = $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _ = AcceptAsync();
    }

    public string Url { get; }

    /// <summary>
    /// For instance <c>POST http://models.example.com/v1/chat/completions HTTP/1.1</c>; empty: a connection that said
    /// nothing.
    /// </summary>
    public ConcurrentQueue<string> Lines { get; } = [];

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await using var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                var first = await reader.ReadLineAsync() ?? "";
                Lines.Enqueue(first);
                var length = 0;
                while (await reader.ReadLineAsync() is { Length: > 0 } header)
                {
                    if (header.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
                        length = int.Parse(header[15..], System.Globalization.CultureInfo.InvariantCulture);
                }
                for (var read = 0; read < length; read++)
                    reader.Read();
                var answer = first.StartsWith("CONNECT", StringComparison.Ordinal)
                    ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    : "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                        + $"{Completion.Length}\r\nConnection: close\r\n\r\n{Completion}";
                await stream.WriteAsync(Encoding.ASCII.GetBytes(answer));
            }
            catch (IOException)
            {
                // The client hung up.
            }
        }
    }

    public void Dispose() => _listener.Dispose();
}
