using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Galaxy.Hosts.Tests;

/// <summary>Waits for a condition, not for a time.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<Task<bool>> condition, double seconds = 20, Func<string>? also = null, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started).TotalSeconds > seconds)
                Assert.Fail($"not within {seconds} s: {what}{(also is null ? "" : "\n" + also())}");
            await Task.Delay(50);
        }
    }
}
