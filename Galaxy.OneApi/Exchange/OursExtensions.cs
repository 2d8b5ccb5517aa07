using Galaxy.ServiceDefaults.Input;
using Galaxy.ServiceDefaults.OpenApi;

namespace Galaxy.OneApi.Exchange;

internal static class OursExtensions
{
    /// <summary>
    /// An endpoint that knows its callers by itself and says what is wrong in their dialect: nothing of the pipeline is
    /// of use to it, and authentication, which knows the cluster's key only, would refuse those with a key of their
    /// own.
    /// </summary>
    public static TBuilder Ours<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.KnowsCallers().ShortCircuit();
        return endpoint;
    }

    /// <summary>An endpoint that knows its callers by itself.</summary>
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
