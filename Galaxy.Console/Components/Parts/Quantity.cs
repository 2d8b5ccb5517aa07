using System.Globalization;

namespace Galaxy.Console.Components.Parts;

/// <summary>Numbers as people read them.</summary>
internal static class Quantity
{
    private static readonly string[] Sizes = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <param name="unit">As OpenTelemetry writes it (UCUM).</param>
    public static string Show(double value, string unit) =>
        unit switch
        {
            "By" or "bytes" => Bytes(value),
            "By/s" => Bytes(value) + "/s",
            "s" => Seconds(value),
            "ms" => Seconds(value / 1000),
            "us" => Seconds(value / 1_000_000),
            "1" or "" => Number(value),
            _ when unit.StartsWith('{') =>
                $"{Number(value)} {unit.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal)}",
            _ => $"{Number(value)} {unit}",
        };

    public static string Bytes(double bytes)
    {
        var step = 0;
        for (; Math.Abs(bytes) >= 1024 && step < Sizes.Length - 1; step++)
            bytes /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{bytes:0.#} {Sizes[step]}");
    }

    public static string Milliseconds(double ms) => Seconds(ms / 1000);

    private static string Seconds(double seconds) =>
        Math.Abs(seconds) switch
        {
            0 => "0",
            < 0.001 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e6:0.#} µs"),
            < 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:0.#} ms"),
            < 120 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.##} s"),
            < 7200 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0.#} min"),
            < 172_800 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.#} h"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 86_400:0.#} d"),
        };

    public static string Number(double value) =>
        Math.Abs(value) switch
        {
            >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e9:0.##} G"),
            >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e6:0.##} M"),
            >= 1e4 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e3:0.#} k"),
            >= 100 or 0 => value.ToString("0", CultureInfo.InvariantCulture),
            _ => value.ToString("0.###", CultureInfo.InvariantCulture),
        };
}
