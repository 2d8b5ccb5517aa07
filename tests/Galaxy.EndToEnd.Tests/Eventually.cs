using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Galaxy.EndToEnd.Tests;

/// <summary>Waits for a condition, not for a time.</summary>
internal static class Eventually
{
    public static Task TrueAsync(
        Func<Task<bool>> condition,
        double seconds = 30,
        [CallerArgumentExpression(nameof(condition))] string what = ""
    ) => NotNullAsync(async () => await condition() ? "yes" : null, seconds, what);

    public static async Task<T?> NotNullAsync<T>(
        Func<Task<T?>> get,
        double seconds = 30,
        [CallerArgumentExpression(nameof(get))] string what = ""
    )
        where T : class
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            if (await get() is { } value)
                return value;
            Assert.True(Stopwatch.GetElapsedTime(started).TotalSeconds < seconds, $"not within {seconds} s: {what}");
            await Task.Delay(50);
        }
    }
}
