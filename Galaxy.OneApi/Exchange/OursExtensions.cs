using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.OpenApi;

namespace Galaxy.OneApi.Exchange;

internal static class OursExtensions
{
    /// <summary>
    /// A self-authenticated endpoint, which reports errors in the caller's dialect: it needs nothing of the pipeline,
    /// whose authentication does not know keys for models and would refuse their callers.
    /// </summary>
    public static TBuilder Ours<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.KnowsCallers().ShortCircuit();
        return endpoint;
    }

    /// <summary>A self-authenticated endpoint.</summary>
    public static TBuilder KnowsCallers<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder
    {
        // Last of all: only then is it known with which methods it is asked.
        endpoint
            .ReadsItsBody()
            .AllowAnonymous()
            .Finally(built =>
                built.Metadata.Add(
                    new ShownRole(
                        "client",
                        built.Metadata.OfType<HttpMethodMetadata>().LastOrDefault()?.HttpMethods
                            is { Count: > 0 } methods
                            && methods.All(HttpMethods.IsGet)
                    )
                )
            );
        return endpoint;
    }
}
