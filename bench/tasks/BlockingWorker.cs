using System.Net.Sockets;
using System.Text;

namespace Galaxy.Bench.Tasks;

/// <summary>One worker of a Redis list: BLPOP, then SET of the result, over a connection of its own.</summary>
internal static class BlockingWorker
{
    private static readonly byte[] Take = "*3\r\n$5\r\nBLPOP\r\n$5\r\ntasks\r\n$1\r\n1\r\n"u8.ToArray();

    public static async Task RunAsync(int port, int number, Action done, CancellationToken cancellation)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync("127.0.0.1", port, cancellation);
        var stream = client.GetStream();
        var (buffer, count) = (new byte[1024], 0);
        try
        {
            while (!cancellation.IsCancellationRequested)
            {
                await stream.WriteAsync(Take, cancellation);
                var length = await stream.ReadAsync(buffer, cancellation);
                if (length == 0)
                    return;
                // A null reply: nothing came within a second.
                if (Encoding.ASCII.GetString(buffer, 0, length).StartsWith("*-1", StringComparison.Ordinal))
                    continue;
                var name = $"result:{number}:{count++}";
                await stream.WriteAsync(
                    Encoding.ASCII.GetBytes($"*3\r\n$3\r\nSET\r\n${name.Length}\r\n{name}\r\n$2\r\n{{}}\r\n"),
                    cancellation
                );
                if (await stream.ReadAsync(buffer, cancellation) == 0)
                    return;
                done();
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException)
        {
            // The run is over.
        }
    }
}
