using System.Globalization;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Mvc;

namespace Galaxy.Console.SignIn;

/// <summary>How a user signs in: with a key in a form, or with a link that is valid once.</summary>
internal static class SignInEndpoints
{
    /// <summary>How long a session lasts, in minutes.</summary>
    private const string LengthSetting = "GALAXY_SESSION_MINUTES";

    private const string Either = "cookie-or-key";
    private static readonly AuthorizationPolicy PagePolicy = new AuthorizationPolicyBuilder(Either)
        .RequireAuthenticatedUser()
        .RequireAssertion(asked => Principals.RoleOf(asked.User).May(AccessRole.Operator, reads: true))
        .Build();

    /// <exception cref="SettingException">The length of sessions is not allowed.</exception>
    public static void AddSignIn(this WebApplicationBuilder builder, NodeOptions node)
    {
        var services = builder.Services;
        var length = ReadLength(builder.Configuration[LengthSetting]);
        services
            .AddAuthentication(options =>
            {
                options.DefaultScheme = Either;
                options.DefaultChallengeScheme = Either;
            })
            .AddPolicyScheme(Either, null, policy =>
                policy.ForwardDefaultSelector = context =>
                    context.Request.Headers.ContainsKey("Authorization")
                    || context.Request.Headers.ContainsKey("X-API-Key")
                    || context.Request.Path.StartsWithSegments("/api")
                    || context.RequestServices.GetRequiredService<NodeOptions>().ApiKey is null
                        ? ApiKeyAuthenticationHandler.SchemeName
                        : CookieAuthenticationDefaults.AuthenticationScheme
            )
            .AddCookie(cookie =>
            {
                cookie.Cookie.Name = ".galaxy.session";
                cookie.Cookie.SameSite = SameSiteMode.Lax;
                cookie.Cookie.HttpOnly = true;
                cookie.LoginPath = cookie.AccessDeniedPath = "/sign-in";
                cookie.ExpireTimeSpan = length;
                cookie.SlidingExpiration = false;
                // A path only: the user came by the gateway's address, which this process does not know.
                cookie.Events.OnRedirectToLogin = cookie.Events.OnRedirectToAccessDenied = context =>
                {
                    context.Response.Redirect(new Uri(context.RedirectUri).PathAndQuery);
                    return Task.CompletedTask;
                };
                cookie.Events.OnValidatePrincipal = context =>
                {
                    if (
                        context.Principal is null
                        || !context.HttpContext.RequestServices.GetRequiredService<Session>().IsValid(context.Principal)
                    )
                        context.RejectPrincipal();
                    return Task.CompletedTask;
                };
            })
            .AddScheme<AuthenticationSchemeOptions, Otlp.OtlpTokenHandler>(Otlp.OtlpTokenHandler.SchemeName, null);
        // The pages show what an operator may see; what a user does there is done in that user's name.
        services
            .AddAuthorizationBuilder()
            .SetDefaultPolicy(PagePolicy)
            .SetFallbackPolicy(PagePolicy)
            .AddPolicy(Receivers.OtlpEndpoints.Policy, policy =>
                policy
                    .AddAuthenticationSchemes(Otlp.OtlpTokenHandler.SchemeName, ApiKeyAuthenticationHandler.SchemeName)
                    .RequireAuthenticatedUser()
                    .RequireAssertion(asked =>
                        asked.User.Identity?.AuthenticationType == Otlp.OtlpTokenHandler.SchemeName
                        || Principals.RoleOf(asked.User).May(AccessRole.Operator)
                    )
            );
        if (node.ApiKey is not null)
        {
            services
                .AddDataProtection()
                .SetApplicationName("galaxy-console/" + node.Cluster)
                .DisableAutomaticKeyGeneration();
            services.AddSingleton<IKeyManager, SessionKeys>();
        }
        services.AddSingleton<Session>();
        services.AddSingleton<UsedLinks>();
        services.AddCascadingAuthenticationState();
        services.AddScoped<AuthenticationStateProvider, SessionWatch>();
    }

    private static TimeSpan ReadLength(string? text)
    {
        const double Standard = 12 * 60,
            Longest = 30 * 24 * 60;
        if (text is null)
            return TimeSpan.FromMinutes(Standard);
        return
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var minutes)
            && minutes is >= 0.05 and <= Longest
            ? TimeSpan.FromMinutes(minutes)
            : throw new SettingException(LengthSetting, text, $"minutes from 0.05 to {Longest:0}");
    }

    public static void MapSignIn(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapPost(
                "/sign-in/key",
                ([FromForm] string? key, [FromForm] string? returnUrl, HttpContext context, CallerIdentifier callers) =>
                {
                    var shown = (key ?? "").Trim();
                    return EnterAsync(context, callers.Identify(shown), AccessKey.IdOf(shown), returnUrl, "wrong");
                }
            )
            .AllowAnonymous()
            .ExcludeFromDescription();
        endpoints
            .MapPost("/sign-out", async (HttpContext context) =>
            {
                await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
                return Results.Redirect("/sign-in");
            })
            .ExcludeFromDescription();
        // It redirects at once, so that the code does not stay in the address bar.
        endpoints
            .MapGet("/sign-in/link", [AllowAnonymous] (string? code, HttpContext context, UsedLinks links) =>
                EnterAsync(
                    context,
                    links.TryUse(code) ? new Identified(CallerIdentifier.KeyHolder, AccessRole.Admin, null) : default,
                    null,
                    "/",
                    "used"
                )
            )
            .ExcludeFromDescription();
    }

    private static async Task<IResult> EnterAsync(
        HttpContext context,
        Identified caller,
        string? keyId,
        string? returnUrl,
        string otherwise
    )
    {
        if (!caller.May(AccessRole.Operator, reads: true))
            return Results.Redirect(
                "/sign-in?problem="
                    + (
                        caller.IsKnown ? "role"
                        : caller.IsUndecided ? "later"
                        : otherwise
                    )
            );
        var scheme = CookieAuthenticationDefaults.AuthenticationScheme;
        var cookie = context
            .RequestServices.GetRequiredService<Microsoft.Extensions.Options.IOptionsMonitor<CookieAuthenticationOptions>>()
            .Get(scheme);
        var until = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow() + cookie.ExpireTimeSpan;
        await context.SignInAsync(
            scheme,
            Session.Open(caller, keyId, scheme, until),
            new AuthenticationProperties { ExpiresUtc = until, IsPersistent = true }
        );
        // Redirect only to pages of the console.
        return Results.LocalRedirect(returnUrl is ['/', not ('/' or '\\'), ..] ? returnUrl : "/");
    }
}
