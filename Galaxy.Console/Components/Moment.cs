using System.Globalization;

namespace Galaxy.Console.Components;

/// <summary>Times as a person reads them. In the zone of the machine that serves the console.</summary>
public static class Moment
{
    public static string Clock(long unixMs) => Clock(DateTimeOffset.FromUnixTimeMilliseconds(unixMs));

    public static string Clock(DateTimeOffset time) => time.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    public static string Full(DateTimeOffset time) => time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
