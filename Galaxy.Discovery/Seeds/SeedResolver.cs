using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Galaxy.Core.Discovery;

namespace Galaxy.Discovery.Seeds;

/// <summary>
/// What a seed stands for: <c>host:port</c> is every A and AAAA address of the host; a name that begins with an
/// underscore, <c>_galaxy._tcp.example.org</c>, is a service whose SRV records name hosts and ports (RFC 2782).
/// Thread-safe.
/// </summary>
internal static class SeedResolver
{
    public const int DefaultPort = 9071;
    private const int MostAddresses = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>gRPC addresses, most preferred first.</summary>
    /// <exception cref="SocketException">The name does not exist, or no resolver answers.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, or no answer in time.</exception>
    public static async Task<IReadOnlyList<string>> ResolveAsync(string seed, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience * 2);
        var url = new Uri(seed.Contains("://", StringComparison.Ordinal) ? seed : "http://" + seed);
        if (!url.Host.StartsWith('_'))
            return await AddressesAsync(url.Scheme, url.Host, NamesPort(seed) ? url.Port : DefaultPort, patience.Token);
        var found = new List<string>();
        foreach (
            var target in (await ServicesAsync(url.Host, patience.Token))
                .OrderBy(srv => srv.Priority)
                .ThenByDescending(srv => srv.Weight)
        )
            found.AddRange(await AddressesAsync(url.Scheme, target.Target.TrimEnd('.'), target.Port, patience.Token));
        return [.. found.Take(MostAddresses)];
    }

    // A URI does not tell whether the port of its scheme was written.
    private static bool NamesPort(string seed)
    {
        var authority = seed[(seed.IndexOf("://", StringComparison.Ordinal) is >= 0 and var at ? at + 3 : 0)..];
        authority = authority.Split('/')[0];
        return authority.LastIndexOf(':') > authority.LastIndexOf(']');
    }

    private static async Task<IReadOnlyList<string>> AddressesAsync(
        string scheme,
        string host,
        int port,
        CancellationToken cancellation
    )
    {
        var addresses = IPAddress.TryParse(host.Trim('[', ']'), out var one)
            ? [one]
            : await Dns.GetHostAddressesAsync(host, cancellation);
        return
        [
            .. addresses
                .Take(MostAddresses)
                .Select(address =>
                    new UriBuilder(scheme, address.ToString(), port).Uri.GetLeftPart(UriPartial.Authority)
                ),
        ];
    }

    // The platform resolves hosts, not services.
    private static async Task<IReadOnlyList<DnsSrv>> ServicesAsync(string name, CancellationToken cancellation)
    {
        var query = DnsWriter.Write(
            new DnsMessage
            {
                Id = (ushort)Random.Shared.Next(1, ushort.MaxValue),
                RecursionDesired = true,
                Questions = [new DnsQuestion(name + ".", DnsType.Srv)],
            }
        );
        SocketException last = new((int)SocketError.NoData);
        foreach (var resolver in Resolvers())
        {
            try
            {
                return await AskAsync(resolver, query, cancellation);
            }
            catch (SocketException failure)
            {
                last = failure;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                last = new SocketException((int)SocketError.TryAgain);
            }
        }
        throw last;
    }

    private static async Task<IReadOnlyList<DnsSrv>> AskAsync(
        IPEndPoint resolver,
        byte[] query,
        CancellationToken cancellation
    )
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        using var socket = new Socket(resolver.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(resolver, patience.Token);
        await socket.SendAsync(query, patience.Token);
        var buffer = new byte[4096];
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, patience.Token);
            if (
                !DnsReader.TryParse(buffer.AsSpan(0, length), out var answer)
                || !answer.IsResponse
                || answer.Id != (query[0] << 8 | query[1])
            )
                continue;
            if (answer.ResponseCode != 0)
                throw new SocketException((int)SocketError.HostNotFound);
            return [.. answer.Answers.Select(record => record.Data).OfType<DnsSrv>()];
        }
    }

    private static IEnumerable<IPEndPoint> Resolvers() =>
        NetworkInterface
            .GetAllNetworkInterfaces()
            .SelectMany(adapter => adapter.GetIPProperties().DnsAddresses)
            .Distinct()
            .Select(address => new IPEndPoint(address, 53));
}
