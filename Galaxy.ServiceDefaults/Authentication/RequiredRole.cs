using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Galaxy.ServiceDefaults.Authentication;

/// <summary>
/// The role that an endpoint needs: metadata of the endpoint, and what authorization and the documents of the API read.
/// </summary>
/// <param name="reads">It only reads: a viewer may, too.</param>
public sealed class RequiredRole(AccessRole role, bool reads = false) : IAuthorizeData
{
    public AccessRole Role => role;

    public bool Reads => reads;

    public string? Policy { get; set; } = PolicyOf(role, reads);

    string? IAuthorizeData.Roles { get; set; }

    string? IAuthorizeData.AuthenticationSchemes { get; set; }

    /// <summary>The authorization policy that admits callers with the needed role.</summary>
    public static string PolicyOf(AccessRole role, bool reads = false) =>
        (reads ? "galaxy-read-" : "galaxy-") + role.Name();

    public static RequiredRole? Of(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<RequiredRole>();

    /// <summary>
    /// What an endpoint's metadata asks for: its role, or the one that a policy of ours names; an admin when there is
    /// neither.
    /// </summary>
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
            var reads =
                methods.Count > 0 && methods.All(method => HttpMethods.IsGet(method) || HttpMethods.IsHead(method));
            endpoint.Metadata.Add(new RequiredRole(reads ? read : write, reads));
        });
        return group;
    }

    /// <summary>This endpoint needs that role, whatever its group says.</summary>
    /// <param name="reads">It only reads: a viewer may, too.</param>
    public static TBuilder Needs<TBuilder>(this TBuilder endpoint, AccessRole role, bool reads = false)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new RequiredRole(role, reads));

    internal static AuthorizationBuilder AddRolePolicies(this AuthorizationBuilder authorization)
    {
        foreach (
            var (role, reads) in Enum.GetValues<AccessRole>().SelectMany(role => new[] { (role, false), (role, true) })
        )
            authorization.AddPolicy(RequiredRole.PolicyOf(role, reads), policy =>
                policy
                    .RequireAuthenticatedUser()
                    .RequireAssertion(context => Principals.RoleOf(context.User).May(role, reads))
            );
        return authorization.SetFallbackPolicy(
            new AuthorizationPolicyBuilder()
                .RequireAuthenticatedUser()
                .RequireAssertion(context => Principals.RoleOf(context.User) == AccessRole.Admin)
                .Build()
        );
    }
}
