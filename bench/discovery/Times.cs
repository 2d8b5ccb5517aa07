using System.Globalization;

namespace Galaxy.Bench.Discovery;

/// <summary>Times of one kind, in ms.</summary>
internal sealed record Times(string What, List<double> Ms)
{
    public double Median => Ms.Order().ElementAt((Ms.Count - 1) / 2);

    public static string Table(IEnumerable<Times> rows) =>
        "| what | runs | median ms | min | max |\n|---|---|---|---|---|\n"
        + string.Concat(
            rows.Where(row => row.Ms.Count > 0)
                .Select(row =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"| {row.What} | {row.Ms.Count} | {row.Median:0} | {row.Ms.Min():0} | {row.Ms.Max():0} |\n"
                    )
                )
        );
}

/// <summary>Rows that appear when they are first added to.</summary>
internal sealed class TimeTable
{
    public List<Times> Rows { get; } = [];

    public void Add(string what, double ms)
    {
        if (Rows.Find(row => row.What == what) is not { } row)
            Rows.Add(row = new Times(what, []));
        row.Ms.Add(Math.Round(ms, 1));
    }
}
