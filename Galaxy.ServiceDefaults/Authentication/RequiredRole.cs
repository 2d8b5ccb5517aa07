using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>The role that an endpoint needs: metadata of the endpoint, and what authorization and the documents of the API read.</summary>
public sealed class RequiredRole(AccessRole role) : IAuthorizeData
{
    public AccessRole Role => role;

    public string? Policy { get; set; } = PolicyOf(role);

    string? IAuthorizeData.Roles { get; set; }

    string? IAuthorizeData.AuthenticationSchemes { get; set; }

    /// <summary>The authorization policy that lets in who may do what needs the role.</summary>
    public static string PolicyOf(AccessRole role) => "galaxy-" + role.Name();

    public static RequiredRole? Of(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<RequiredRole>();

    /// <summary>What an endpoint's metadata asks for: its role, or the one that a policy of ours names; an admin when there is neither.</summary>
    public static AccessRole Needed(EndpointMetadataCollection metadata)
    {
        if (metadata.GetMetadata<RequiredRole>() is { } required)
            return required.Role;
        return metadata.GetMetadata<IAuthorizeData>()?.Policy == MemberPolicy ? AccessRole.Member : AccessRole.Admin;
    }

    private static readonly string MemberPolicy = PolicyOf(AccessRole.Member);
}

/// <summary>Endpoints say what they need. One that says nothing needs an admin.</summary>
public static class RequiredRoleExtensions
{
    /// <summary>A group whose endpoints need these roles, unless one says otherwise itself.</summary>
    /// <param name="read">For GET and HEAD.</param>
    /// <param name="write">For everything else.</param>
    public static RouteGroupBuilder Access(this IEndpointRouteBuilder endpoints, AccessRole read, AccessRole write)
    {
        var group = endpoints.MapGroup("");
        // Last of all, when each endpoint has said what it has to say.
        ((IEndpointConventionBuilder)group).Finally(endpoint =>
        {
            if (endpoint.Metadata.Any(one => one is IAllowAnonymous or IAuthorizeData))
                return;
            var methods = endpoint.Metadata.OfType<HttpMethodMetadata>().LastOrDefault()?.HttpMethods ?? [];
            endpoint.Metadata.Add(new RequiredRole(methods.Count > 0 && methods.All(method => HttpMethods.IsGet(method) || HttpMethods.IsHead(method)) ? read : write));
        });
        return group;
    }

    /// <summary>This endpoint needs that role, whatever its group says.</summary>
    public static TBuilder Needs<TBuilder>(this TBuilder endpoint, AccessRole role)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new RequiredRole(role));

    internal static AuthorizationBuilder AddRolePolicies(this AuthorizationBuilder authorization)
    {
        foreach (var role in Enum.GetValues<AccessRole>())
            authorization.AddPolicy(RequiredRole.PolicyOf(role), policy => policy.RequireAuthenticatedUser().RequireAssertion(context => Principals.RoleOf(context.User).May(role)));
        return authorization.SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser()
            .RequireAssertion(context => Principals.RoleOf(context.User) == AccessRole.Admin).Build());
    }
}
