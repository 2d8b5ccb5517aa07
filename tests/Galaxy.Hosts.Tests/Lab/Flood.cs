using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Galaxy.Hosts;

/// <summary>Very many packets, bounded in number and time.</summary>
internal static class Flood
{
    /// <summary>Sends at an even pace; how many were sent.</summary>
    /// <param name="perSecond">At most 20,000.</param>
    /// <param name="time">At most 30 s.</param>
    public static async Task<long> SendAsync(
        Socket from,
        IPEndPoint to,
        Func<long, byte[]> packet,
        int perSecond,
        TimeSpan time
    )
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(perSecond, 20_000);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(time, TimeSpan.FromSeconds(30));
        var sent = 0L;
        var started = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (Stopwatch.GetElapsedTime(started) is var elapsed && elapsed < time)
        {
            for (var due = (long)(elapsed.TotalSeconds * perSecond); sent < due; sent++)
                from.SendTo(packet(sent), to);
            await timer.WaitForNextTickAsync();
        }
        return sent;
    }
}
