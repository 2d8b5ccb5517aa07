using Galaxy.Gateway.Settings;
using Galaxy.ServiceDefaults.Authentication;
using Galaxy.ServiceDefaults.Cluster;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace Galaxy.Gateway.Security;

/// <summary>The checks that every request passes before it is routed.</summary>
internal static class FrontDoor
{
    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    private static readonly string[] Internal =
    [
        "/galaxy.cluster.",
        "/galaxy.gossip.",
        "/galaxy.election.",
        "/galaxy.failover.",
        "/galaxy.discovery.",
        "/opentelemetry.",
        "/grpc.",
    ];
    private const int Unread = 16 * 1024;
    private static readonly TimeSpan HeadPatience = TimeSpan.FromSeconds(10);

    /// <summary>How long a request with a key that cannot be checked yet waits for the keys.</summary>
    private static readonly TimeSpan KeysTimeout = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How long a request waits until its key is known: a client that made a key a moment ago, perhaps through another
    /// gateway, may use it at once.
    /// </summary>
    private static readonly TimeSpan NewKeyTimeout = TimeSpan.FromMilliseconds(500);

    public static void AddFrontDoor(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<GatewayOptions>().BindConfiguration(GatewayOptions.Section);
        builder.Services.AddSingleton<WrongKeys>();
        builder.Services.AddSingleton<RateLimits>();
        builder.Services.AddSingleton<CrossSite>();
        // While a request waits for a leader, or is being refused, this much of its body is buffered unread: in the
        // sockets' pipe (1 MiB by default) and in the server's.
        builder.WebHost.UseSockets(sockets => sockets.MaxReadBufferSize = Unread);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            var limits = kestrel.Limits;
            limits.MaxRequestBufferSize = Unread;
            limits.RequestHeadersTimeout = HeadPatience;
            limits.MaxRequestHeadersTotalSize = 16 * 1024;
            limits.MaxRequestHeaderCount = 100;
            limits.MaxRequestLineSize = 8 * 1024;
        });
    }

    /// <summary>Before authentication.</summary>
    public static void UseFrontDoor(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptionsMonitor<GatewayOptions>>();
        var (wrong, crossSite) = (
            app.Services.GetRequiredService<WrongKeys>(),
            app.Services.GetRequiredService<CrossSite>()
        );
        var forwarded = new TrustedProxies(options, app.Services.GetRequiredService<ILoggerFactory>());
        app.Use(next =>
            context =>
            {
                SecurityHeaders.Add(context);
                forwarded.Apply(context);
                if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
                    size.MaxRequestBodySize = options.CurrentValue.MaxBodyBytes;
                if (Doubtful(context.Request) is var (status, detail))
                {
                    context.Response.Headers.Connection = "close";
                    return Results.Problem(detail, statusCode: status).ExecuteAsync(context);
                }
                var shown = CallerIdentifier.IsPresented(context.Request);
                if (shown && wrong.RefusedFor(context.Connection.RemoteIpAddress) is { } left)
                    return RateLimits.RefuseAsync(context, "Too many wrong keys came from this address.", left);
                var admitted = crossSite.AdmitAsync(context);
                return admitted.IsCompletedSuccessfully
                    ? admitted.Result
                        ? next(context)
                        : Task.CompletedTask
                    : GoOnAsync(admitted, context, next);
            }
        );
    }

    /// <summary>
    /// Refuses requests that no proper client sends and that other proxies might read otherwise: unknown methods, and
    /// paths of internal gRPC services. Null: the request is accepted.
    /// </summary>
    private static (int Status, string Detail)? Doubtful(HttpRequest request)
    {
        if (Array.IndexOf(Methods, request.Method) < 0 && !CallerIdentifier.IsSocketUpgrade(request))
            return (StatusCodes.Status405MethodNotAllowed, $"This gateway takes {string.Join(", ", Methods)}.");
        // What services say to each other by gRPC.
        return
            request.Path.Value is { } path
            && Array.Exists(Internal, prefix => path.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            ? (StatusCodes.Status404NotFound, "There is nothing here.")
            : null;
    }

    private static async Task GoOnAsync(ValueTask<bool> admitted, HttpContext context, RequestDelegate next)
    {
        if (await admitted)
            await next(context);
    }

    // A limit that does not admit a request at once refuses it: only sending the refusal takes time.
    private static async Task RefusedAsync(ValueTask<bool> admitted) => await admitted;

    /// <summary>
    /// Identifies the caller, checks its role, and limits its rate. Replaces the framework's authentication and
    /// authorization, which cost as much as the forwarding itself: the gateway has one way to identify callers and one
    /// thing to check. After routing.
    /// </summary>
    public static void UseCallers(this WebApplication app)
    {
        // Otherwise the builder adds both by itself, before everything else.
        foreach (var ours in new[] { "__AuthenticationMiddlewareSet", "__AuthorizationMiddlewareSet" })
            ((IApplicationBuilder)app).Properties[ours] = true;
        var services = app.Services;
        var watcher = services.GetRequiredService<ClusterWatcher>();
        var (callers, wrong, limits) = (
            services.GetRequiredService<CallerIdentifier>(),
            services.GetRequiredService<WrongKeys>(),
            services.GetRequiredService<RateLimits>()
        );
        app.Use(next =>
            context =>
            {
                var caller = callers.Identify(context.Request);
                return caller.IsUndecided || caller.MayBeNew
                    ? DecideLaterAsync(context, caller, next)
                    : DecideAsync(context, caller, next);
            }
        );

        // A gateway that has just started hears of the keys within a moment: its clients need not notice.
        async Task DecideLaterAsync(HttpContext context, Identified caller, RequestDelegate next)
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            timeout.CancelAfter(caller.IsUndecided ? KeysTimeout : NewKeyTimeout);
            try
            {
                await foreach (var _ in watcher.Changes(timeout.Token))
                {
                    if ((caller = callers.Identify(context.Request)) is { IsUndecided: false, MayBeNew: false })
                        break;
                }
            }
            catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
            {
                // No leader was heard of in time, or the key is unknown: the client is told so.
            }
            await DecideAsync(context, caller, next);
        }

        Task DecideAsync(HttpContext context, Identified caller, RequestDelegate next)
        {
            if (caller.IsKnown)
                context.User = Principals.Of(caller);
            // Keys for models only are known behind the gateway, and too long to guess.
            else if (
                caller is { Refusal: not null, IsUndecided: false }
                && !CallerIdentifier.IsModelKey(context.Request)
            )
                wrong.Count(context.Connection.RemoteIpAddress);
            var admitted = limits.AdmitAsync(context);
            if (!admitted.IsCompletedSuccessfully || !admitted.Result)
                return RefusedAsync(admitted);
            return
                context.GetEndpoint() is { Metadata: var metadata }
                && metadata.GetMetadata<IAllowAnonymous>() is null
                && RequiredRole.Needed(metadata) is var needed
                && !caller.May(needed)
                ? Refusals.RefuseAsync(context, caller, needed)
                : next(context);
        }
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
        // For pages only.
        if (context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
        {
            // Not no-referrer: then browsers say 'Origin: null' with the pages' own forms (Fetch, "append a request
            // Origin header"), and those are refused.
            headers["Referrer-Policy"] = "same-origin";
            headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
        }
        if (context.Request.IsHttps)
            headers.StrictTransportSecurity = "max-age=31536000";
    }
}

/// <summary>Accepts <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> from configured proxies only.</summary>
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
        var forwarded = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
            ForwardLimit = 5,
        };
        forwarded.KnownIPNetworks.Clear();
        forwarded.KnownProxies.Clear();
        foreach (var network in networks)
            forwarded.KnownIPNetworks.Add(network);
        return new ForwardedHeadersMiddleware(_ => Task.CompletedTask, _loggers, Options.Create(forwarded));
    }
}
