using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;

namespace Galaxy.Console.SignIn;

/// <summary>How a person gets in: the key in a form, or in the link that the AppHost prints.</summary>
internal static class SignInEndpoints
{
    private const string Either = "cookie-or-key";
    private static readonly AuthorizationPolicy OperatorPolicy = new AuthorizationPolicyBuilder(Either).RequireAuthenticatedUser()
        .RequireAssertion(asked => Principals.RoleOf(asked.User) >= AccessRole.Operator).Build();
    private static readonly TimeSpan SessionLength = TimeSpan.FromHours(12);

    public static void AddSignIn(this IServiceCollection services)
    {
        services.AddAuthentication(options =>
            {
                options.DefaultScheme = Either;
                options.DefaultChallengeScheme = Either;
            })
            .AddPolicyScheme(Either, null, policy => policy.ForwardDefaultSelector = context =>
                context.Request.Headers.ContainsKey("Authorization") || context.Request.Headers.ContainsKey("X-API-Key")
                || context.Request.Path.StartsWithSegments("/api") || context.RequestServices.GetRequiredService<NodeOptions>().ApiKey is null
                    ? ApiKeyAuthenticationHandler.SchemeName
                    : CookieAuthenticationDefaults.AuthenticationScheme)
            .AddCookie(cookie =>
            {
                cookie.Cookie.Name = ".galaxy.session";
                cookie.Cookie.SameSite = SameSiteMode.Lax;
                cookie.Cookie.HttpOnly = true;
                cookie.LoginPath = "/sign-in";
                cookie.ExpireTimeSpan = SessionLength;
                cookie.SlidingExpiration = true;
            })
            .AddScheme<AuthenticationSchemeOptions, Otlp.OtlpTokenHandler>(Otlp.OtlpTokenHandler.SchemeName, null);
        // The pages show all that an operator may see.
        services.AddAuthorizationBuilder().SetDefaultPolicy(OperatorPolicy).SetFallbackPolicy(OperatorPolicy).AddPolicy(Otlp.OtlpEndpoints.Policy, policy => policy
            .AddAuthenticationSchemes(Otlp.OtlpTokenHandler.SchemeName, ApiKeyAuthenticationHandler.SchemeName)
            .RequireAuthenticatedUser()
            .RequireAssertion(asked => asked.User.Identity?.AuthenticationType == Otlp.OtlpTokenHandler.SchemeName || Principals.RoleOf(asked.User) >= AccessRole.Operator));
        services.AddCascadingAuthenticationState();
    }

    public static void MapSignIn(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/sign-in/key", ([FromForm] string? key, [FromForm] string? returnUrl, HttpContext context, CallerIdentifier callers) =>
            EnterAsync(context, callers, key, returnUrl)).AllowAnonymous().ExcludeFromDescription();
        endpoints.MapPost("/sign-out", async (HttpContext context) =>
        {
            await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
            return Results.Redirect("/sign-in");
        }).ExcludeFromDescription();
        // The link that the AppHost prints. It redirects at once, so that the key does not stay in the address bar.
        endpoints.MapGet("/sign-in/link", [AllowAnonymous] (string? key, HttpContext context, CallerIdentifier callers) =>
            EnterAsync(context, callers, key, "/")).ExcludeFromDescription();
    }

    private static async Task<IResult> EnterAsync(HttpContext context, CallerIdentifier callers, string? key, string? returnUrl)
    {
        var caller = callers.Identify(key.AsSpan().Trim());
        if (!caller.May(AccessRole.Operator))
            return Results.Redirect("/sign-in?wrong=true");
        await context.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, Principals.Make(caller, CookieAuthenticationDefaults.AuthenticationScheme));
        // Only to pages of our own.
        return Results.LocalRedirect(returnUrl is ['/', not ('/' or '\\'), ..] ? returnUrl : "/");
    }
}
