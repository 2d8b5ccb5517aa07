using System.Net.Http.Headers;
using Galaxy.ServiceDefaults.Authentication;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Galaxy.Gateway.Security;

/// <summary>
/// Credentials of clients end at the gateway: it vouches to the services for the callers that it knows, with a token
/// for the single call. So keys are in no service's log, and a service that was taken over cannot use them.
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
            // The service behind an open route may know a caller that the gateway does not: its credentials are passed
            // on.
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
