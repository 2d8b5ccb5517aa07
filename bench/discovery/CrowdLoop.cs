using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Galaxy.Core.Discovery;
using Galaxy.Core.Discovery.Ssdp;
using Galaxy.Discovery.Peers;
using Galaxy.Discovery.Ssdp;
using Galaxy.Hosts;

namespace Galaxy.Bench.Discovery;

/// <summary>
/// Moves the crowd: one loop for all members, who hear what the one under measurement says to the groups, and a server
/// of descriptions.
/// </summary>
internal sealed class CrowdLoop(IReadOnlyList<CrowdMember> members, LabHost host, IPAddress measured, Trust trust)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    private readonly Channel<(IPEndPoint Group, byte[] Packet, IPEndPoint From)> _heard = Channel.CreateBounded<(
        IPEndPoint,
        byte[],
        IPEndPoint
    )>(1000);
    private readonly Dictionary<string, CrowdMember> _byAddress = members.ToDictionary(member =>
        member.Address.ToString()
    );
    private readonly long _start = Stopwatch.GetTimestamp();

    private byte[] _last = [];

    private TimeSpan Now => Stopwatch.GetElapsedTime(_start);

    public Task RunAsync(CancellationToken ends) =>
        Task.WhenAll(
            MoveAsync(ends),
            ListenAsync(CrowdMember.Udp, ends),
            ListenAsync(CrowdMember.Mdns, ends),
            ListenAsync(CrowdMember.Ssdp, ends),
            DescribeAsync(ends)
        );

    private async Task MoveAsync(CancellationToken ends)
    {
        using var timer = new PeriodicTimer(Look);
        while (!ends.IsCancellationRequested)
        {
            foreach (var member in members)
                member.Tick(Now);
            while (_heard.Reader.TryRead(out var heard))
                Hear(heard.Group, heard.Packet, heard.From);
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    private void Hear(IPEndPoint group, byte[] packet, IPEndPoint from)
    {
        // The same question comes by multicast and by broadcast; each node answers once.
        if (group == CrowdMember.Udp && _last.AsSpan().SequenceEqual(packet))
            return;
        _last = packet;
        if (
            group == CrowdMember.Udp
            && Announcement.TryParse(packet, out var question)
            && question.Kind == AnnouncementKind.Discover
        )
        {
            foreach (var member in members)
                member.HearUdp(question, from, Now);
        }
        else if (group == CrowdMember.Mdns && DnsReader.TryParse(packet, out var message))
        {
            foreach (var member in members)
                member.HearMdns(message, from, Now);
        }
        else if (group == CrowdMember.Ssdp && SsdpMessage.TryParse(packet, out var search) && search.IsSearch)
        {
            foreach (var member in members)
                member.HearSsdp(search, packet.Length, from, Now);
        }
    }

    private async Task ListenAsync(IPEndPoint group, CancellationToken ends)
    {
        // As somebody of the host's own address, which is none of the crowd.
        using var socket = host.OpenUdp(group.Port, group.Address);
        var buffer = new byte[9000];
        try
        {
            while (true)
            {
                var packet = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), ends);
                var from = (IPEndPoint)packet.RemoteEndPoint;
                if (from.Address.Equals(measured))
                    _heard.Writer.TryWrite((group, buffer[..packet.ReceivedBytes], from));
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async Task DescribeAsync(CancellationToken ends)
    {
        using var listener = host.Open(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Any, 8037));
        listener.Listen(512);
        try
        {
            while (true)
                _ = AnswerAsync(await listener.AcceptAsync(ends));
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async Task AnswerAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                var buffer = new byte[4096];
                var request = Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer));
                var nonce = request.Split(' ')[1].Split("nonce=") is [_, var given] ? given : "";
                var document = Encoding.UTF8.GetBytes(
                    SsdpDescription.Write(
                        _byAddress[((IPEndPoint)socket.LocalEndPoint!).Address.ToString()].Own,
                        trust,
                        nonce
                    )
                );
                await socket.SendAsync(
                    (byte[])
                        [
                            .. Encoding.ASCII.GetBytes(
                                "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: "
                                    + $"{document.Length}\r\nConnection: close\r\n\r\n"
                            ),
                            .. document,
                        ]
                );
                socket.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException)
            {
                // The reader left.
            }
        }
    }
}
