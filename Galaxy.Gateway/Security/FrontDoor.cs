using Galaxy.Gateway.Settings;
using Galaxy.ServiceDefaults.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace Galaxy.Gateway.Security;

/// <summary>What every request passes before anybody looks where it goes.</summary>
internal static class FrontDoor
{
    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    private static readonly string[] Internal = ["/galaxy.", "/opentelemetry.", "/grpc."];
    private static readonly TimeSpan HeadPatience = TimeSpan.FromSeconds(10);

    public static void AddFrontDoor(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<GatewayOptions>().BindConfiguration(GatewayOptions.Section);
        builder.Services.AddSingleton<WrongKeys>();
        builder.Services.AddSingleton<RateLimits>();
        builder.Services.AddSingleton<CrossSite>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            var limits = kestrel.Limits;
            // A thousand requests that wait for a leader may hold 64 MiB of bodies that nobody has read yet.
            limits.MaxRequestBufferSize = 64 * 1024;
            limits.RequestHeadersTimeout = HeadPatience;
            limits.MaxRequestHeadersTotalSize = 32 * 1024;
            limits.MaxRequestHeaderCount = 100;
            limits.MaxRequestLineSize = 8 * 1024;
        });
    }

    /// <summary>Before authentication.</summary>
    public static void UseFrontDoor(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptionsMonitor<GatewayOptions>>();
        var (wrong, crossSite) = (app.Services.GetRequiredService<WrongKeys>(), app.Services.GetRequiredService<CrossSite>());
        var forwarded = new TrustedProxies(options, app.Services.GetRequiredService<ILoggerFactory>());
        app.Use(async (context, next) =>
        {
            SecurityHeaders.Add(context);
            forwarded.Apply(context);
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
                size.MaxRequestBodySize = options.CurrentValue.MaxBodyBytes;
            if (Doubtful(context.Request) is var (status, detail))
            {
                context.Response.Headers.Connection = "close";
                await Results.Problem(detail, statusCode: status).ExecuteAsync(context);
                return;
            }
            var shown = CallerIdentifier.IsPresented(context.Request);
            if (shown && wrong.RefusedFor(context.Connection.RemoteIpAddress) is { } left)
            {
                await RateLimits.RefuseAsync(context, "Too many wrong keys came from this address.", left);
                return;
            }
            if (await crossSite.AdmitAsync(context))
                await next(context);
        });
    }

    /// <summary>What nobody means well by, and what other proxies might read otherwise.</summary>
    private static (int Status, string Detail)? Doubtful(HttpRequest request)
    {
        if (Array.IndexOf(Methods, request.Method) < 0 && !CallerIdentifier.IsSocketUpgrade(request))
            return (StatusCodes.Status405MethodNotAllowed, $"This gateway takes {string.Join(", ", Methods)}.");
        // What services say to each other by gRPC.
        return request.Path.Value is { } path && Array.Exists(Internal, prefix => path.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            ? (StatusCodes.Status404NotFound, "There is nothing here.") : null;
    }

    /// <summary>After authentication, before authorization refuses anybody.</summary>
    public static void UseRateLimits(this WebApplication app)
    {
        var (wrong, limits) = (app.Services.GetRequiredService<WrongKeys>(), app.Services.GetRequiredService<RateLimits>());
        app.Use(async (context, next) =>
        {
            // Keys for models only are known behind the gateway, and too long to guess.
            if (context.User.Identity?.IsAuthenticated != true && CallerIdentifier.IsPresented(context.Request) && !context.Request.Path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase))
                wrong.Count(context.Connection.RemoteIpAddress);
            if (await limits.AdmitAsync(context))
                await next(context);
        });
    }
}

/// <summary>What browsers are told with every answer.</summary>
internal static class SecurityHeaders
{
    public static void Add(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        if (context.Request.IsHttps)
            headers.StrictTransportSecurity = "max-age=31536000";
    }
}

/// <summary>Believes <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> of configured proxies, and of nobody else.</summary>
internal sealed class TrustedProxies
{
    private readonly ILoggerFactory _loggers;
    private volatile ForwardedHeadersMiddleware? _reader;

    public TrustedProxies(IOptionsMonitor<GatewayOptions> options, ILoggerFactory loggers)
    {
        _loggers = loggers;
        _reader = Make(options.CurrentValue);
        options.OnChange(now => _reader = Make(now));
    }

    public void Apply(HttpContext context) => _reader?.ApplyForwarders(context);

    private ForwardedHeadersMiddleware? Make(GatewayOptions options)
    {
        var networks = options.ProxyNetworks().ToList();
        if (networks.Count == 0)
            return null;
        var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = 5 };
        forwarded.KnownIPNetworks.Clear();
        forwarded.KnownProxies.Clear();
        foreach (var network in networks)
            forwarded.KnownIPNetworks.Add(network);
        return new ForwardedHeadersMiddleware(_ => Task.CompletedTask, _loggers, Options.Create(forwarded));
    }
}
