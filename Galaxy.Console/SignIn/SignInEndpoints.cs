using System.Security.Claims;
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
        services.AddAuthorizationBuilder().AddPolicy(Otlp.OtlpEndpoints.Policy, policy => policy
            .AddAuthenticationSchemes(Otlp.OtlpTokenHandler.SchemeName, ApiKeyAuthenticationHandler.SchemeName)
            .RequireAuthenticatedUser());
        services.AddCascadingAuthenticationState();
    }

    public static void MapSignIn(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/sign-in/key", ([FromForm] string? key, [FromForm] string? returnUrl, HttpContext context, NodeOptions node) =>
            EnterAsync(context, node, key, returnUrl)).AllowAnonymous().ExcludeFromDescription();
        endpoints.MapPost("/sign-out", async (HttpContext context) =>
        {
            await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
            return Results.Redirect("/sign-in");
        }).ExcludeFromDescription();
        // The link that the AppHost prints. It redirects at once, so that the key does not stay in the address bar.
        endpoints.MapGet("/sign-in/link", [AllowAnonymous] (string? key, HttpContext context, NodeOptions node) =>
            EnterAsync(context, node, key, "/")).ExcludeFromDescription();
    }

    private static async Task<IResult> EnterAsync(HttpContext context, NodeOptions node, string? key, string? returnUrl)
    {
        if (node.ApiKeyFingerprint is { } fingerprint && !ApiKey.Matches(key?.Trim() ?? "", fingerprint))
            return Results.Redirect("/sign-in?wrong=true");
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, "admin"), new Claim(ClaimTypes.Role, "admin")], CookieAuthenticationDefaults.AuthenticationScheme);
        await context.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, new ClaimsPrincipal(identity));
        // Only to pages of our own.
        return Results.LocalRedirect(returnUrl is ['/', not ('/' or '\\'), ..] ? returnUrl : "/");
    }
}
