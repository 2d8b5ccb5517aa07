using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Galaxy.Core.Discovery.Peers;
using Galaxy.Core.Discovery.Ssdp;
using Galaxy.Discovery.Peers;
using Galaxy.ServiceDefaults.Http;

namespace Galaxy.Discovery.Ssdp;

/// <summary>What came of reading a description.</summary>
/// <param name="Sighting">Null when it was not a node's.</param>
/// <param name="Problem">A reason for the counters, or null.</param>
internal sealed record DescriptionRead(Guid Uuid, string Version, Sighting? Sighting, string? Problem);

/// <summary>
/// Fetches the descriptions of devices. A packet must not make this process contact other hosts: only the host that it
/// came from is asked, over one connection, for at most 64 KiB and two seconds; at most four at a time, sixty-four
/// waiting, each device once in three seconds. Thread-safe.
/// </summary>
internal sealed class DescriptionReader(Trust trust, TimeProvider time) : IDisposable
{
    private const int AtOnce = 4;
    private const int Waiting = 64;
    private const int MostBytes = 64 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(3);

    private readonly SemaphoreSlim _places = new(AtOnce);
    private readonly ConcurrentQueue<DescriptionRead> _read = new();
    private readonly ConcurrentDictionary<Guid, long> _started = new();
    private readonly CancellationTokenSource _ends = new();
    private int _waiting;

    /// <summary>
    /// Begins to read; the result is taken from <see cref="TryTake"/> when the discovery source was notified. Null, or
    /// why it is not read.
    /// </summary>
    public string? Read(SsdpEffect.Found found, SsdpRoad road)
    {
        foreach (var (uuid, at) in _started)
        {
            if (time.GetElapsedTime(at) > Again)
                _started.TryRemove(uuid, out _);
        }
        // Three packets tell of the same device.
        if (_started.ContainsKey(found.Uuid))
            return null;
        if (!IsFrom(found.Location, found.From.Address))
            return "location elsewhere";
        if (Interlocked.Increment(ref _waiting) > Waiting)
        {
            Interlocked.Decrement(ref _waiting);
            return "too many descriptions";
        }
        _started[found.Uuid] = time.GetTimestamp();
        _ = Task.Run(async () =>
        {
            try
            {
                _read.Enqueue(await FetchAsync(found));
            }
            finally
            {
                Interlocked.Decrement(ref _waiting);
            }
            road.DescriptionIsRead();
        });
        return null;
    }

    public bool TryTake([NotNullWhen(true)] out DescriptionRead? read) => _read.TryDequeue(out read);

    private static bool IsFrom(Uri location, IPAddress from) =>
        IPAddress.TryParse(location.Host.Trim('[', ']'), out var host)
        && host.GetAddressBytes().AsSpan().SequenceEqual(from.GetAddressBytes());

    private async Task<DescriptionRead> FetchAsync(SsdpEffect.Found found)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_ends.Token);
        patience.CancelAfter(Patience);
        try
        {
            await _places.WaitAsync(patience.Token);
            try
            {
                var nonce = Trust.NewNonce();
                trust.Asked(nonce);
                // The address with its scope: a link-local one means nothing without it, and no URL carries it.
                using var handler = InternalHttp.CreateHandler(handler =>
                {
                    handler.AllowAutoRedirect = false;
                    handler.ConnectCallback = (_, cancellation) => ConnectAsync(found, cancellation);
                });
                using var http = new HttpClient(handler) { MaxResponseContentBufferSize = MostBytes };
                var document = await http.GetByteArrayAsync(
                    new UriBuilder(found.Location) { Query = $"nonce={nonce}" }.Uri,
                    patience.Token
                );
                return Judge(found, document);
            }
            finally
            {
                _places.Release();
            }
        }
        catch (Exception failure)
            when (failure
                    is HttpRequestException
                        or OperationCanceledException
                        or IOException
                        or SocketException
                        or InvalidOperationException
                        or ObjectDisposedException
            )
        {
            return new DescriptionRead(found.Uuid, found.Version, null, "description unreadable");
        }
    }

    private static async ValueTask<Stream> ConnectAsync(SsdpEffect.Found found, CancellationToken cancellation)
    {
        var socket = new Socket(found.From.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(found.From.Address, found.Location.Port), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private DescriptionRead Judge(SsdpEffect.Found found, byte[] document)
    {
        using var stream = new MemoryStream(document);
        if (SsdpDescription.Read(stream) is not { } announcement)
            return new DescriptionRead(found.Uuid, found.Version, null, "description malformed");
        var verdict = trust.Judge(announcement);
        return new DescriptionRead(
            found.Uuid,
            found.Version,
            NodeAnnouncement.Seen("ssdp", announcement, verdict) with
            {
                Address = found.From.Address,
            },
            null
        );
    }

    public void Dispose()
    {
        _ends.Cancel();
        _ends.Dispose();
        _places.Dispose();
    }
}
