using Galaxy.OneApi.Dialects.Plain;
using Galaxy.OneApi.Routing;

namespace Galaxy.OneApi.Exchange;

/// <summary>The target that answered, and the number of attempts.</summary>
/// <param name="Dropped">Unsupported fields that were dropped, as the request or the provider's settings allow.</param>
internal sealed record Won(
    IExchange Exchange,
    Target Target,
    int Tries,
    IReadOnlyList<string> Dropped,
    double FirstTokenMilliseconds
);
