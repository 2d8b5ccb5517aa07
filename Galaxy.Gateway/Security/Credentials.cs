using System.Net.Http.Headers;
using Galaxy.ServiceDefaults.Authentication;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Galaxy.Gateway.Security;

/// <summary>
/// What clients show ends at the gateway: to the services it vouches for whom it knows, with a token for that one call.
/// So keys are in no service's log, and a service that was taken over cannot use them.
/// </summary>
internal static class Credentials
{
    public static void AddVouching(this TransformBuilderContext transforms, ServiceTokens tokens)
    {
        if (!tokens.IsNeeded)
            return;
        transforms.AddRequestTransform(request =>
        {
            var context = request.HttpContext;
            // Whoever is not known here may be known to the service behind an open route, by what he showed.
            if (context.User.Identity is not { IsAuthenticated: true, Name: { } name })
                return ValueTask.CompletedTask;
            var headers = request.ProxyRequest.Headers;
            headers.Remove("X-API-Key");
            if (CallerIdentifier.IsSocketUpgrade(context.Request) && context.Request.Query.ContainsKey("token"))
                request.Query.Collection.Remove("token");
            var method = HttpMethods.IsConnect(context.Request.Method) ? "GET" : context.Request.Method;
            headers.Authorization = new AuthenticationHeaderValue(
                "Bearer",
                tokens.Mint(name, Principals.RoleOf(context.User), method, request.Path.Value ?? "/")
            );
            return ValueTask.CompletedTask;
        });
    }
}
