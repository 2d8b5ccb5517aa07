using Galaxy.OneApi.Dialects.Plain;
using Galaxy.OneApi.Routing;

namespace Galaxy.OneApi.Exchange;

/// <summary>Who answered, after how many tries.</summary>
/// <param name="Dropped">Fields that could not be carried over, and were allowed not to be.</param>
internal sealed record Won(
    IExchange Exchange,
    Target Target,
    int Tries,
    IReadOnlyList<string> Dropped,
    double FirstTokenMilliseconds
);
