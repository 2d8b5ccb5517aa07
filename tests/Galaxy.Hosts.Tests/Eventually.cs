using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Galaxy.Hosts.Tests;

/// <summary>Waits for a condition, not for a time.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(
        Func<Task<bool>> condition,
        double seconds = 20,
        Func<string>? also = null,
        [CallerArgumentExpression(nameof(condition))] string what = ""
    )
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started).TotalSeconds > seconds)
                Assert.Fail($"not within {seconds} s: {what}{(also is null ? "" : "\n" + also())}");
            await Task.Delay(50);
        }
    }

    /// <summary>Looks for that long, and fails as soon as it is so.</summary>
    public static async Task NeverAsync(
        Func<Task<bool>> condition,
        double seconds,
        [CallerArgumentExpression(nameof(condition))] string what = ""
    )
    {
        for (
            var started = Stopwatch.GetTimestamp();
            Stopwatch.GetElapsedTime(started).TotalSeconds < seconds;
            await Task.Delay(50)
        )
            Assert.False(await condition(), what);
    }
}
