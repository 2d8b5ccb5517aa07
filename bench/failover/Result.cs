using System.Globalization;
using System.Text;

namespace Galaxy.Bench.Failover;

/// <summary>Times in ms. With twenty runs p99 is the slowest.</summary>
internal sealed record Result(
    string System,
    string Fault,
    int Runs,
    double P50,
    double P99,
    double Min,
    double Max,
    IReadOnlyList<double> All
)
{
    public static Result Of(string system, string fault, IReadOnlyList<double> times)
    {
        var sorted = times.Order().ToList();
        return new Result(
            system,
            fault,
            times.Count,
            At(0.5),
            At(0.99),
            sorted[0],
            sorted[^1],
            [.. times.Select(time => Math.Round(time, 1))]
        );

        double At(double share) =>
            Math.Round(sorted[Math.Min(sorted.Count - 1, (int)Math.Ceiling(share * sorted.Count) - 1)], 1);
    }

    /// <summary>A Markdown table; the ratio is the peer's median to Galaxy's for the same fault.</summary>
    public static string Table(IReadOnlyList<Result> results)
    {
        var text = new StringBuilder(
            "| system | fault | runs | p50 ms | p99 ms | min | max | median ÷ Galaxy's |\n"
                + "|---|---|---|---|---|---|---|---|\n"
        );
        foreach (var result in results)
        {
            var ours = results.FirstOrDefault(other => other.System == "galaxy" && other.Fault == result.Fault);
            var ratio =
                ours is null || result.System == "galaxy"
                    ? ""
                    : (result.P50 / ours.P50).ToString("0.0", CultureInfo.InvariantCulture);
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {result.System} | {result.Fault} | {result.Runs} | {result.P50:0} | {result.P99:0} | "
                    + $"{result.Min:0} | {result.Max:0} | {ratio} |\n"
            );
        }
        return text.ToString();
    }
}
